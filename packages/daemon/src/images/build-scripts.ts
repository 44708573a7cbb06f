/** Docker's engine from the distribution's own packages. */
export const DOCKER = `#!/bin/sh
set -e
if command -v apt-get >/dev/null; then
  apt-get update
  apt-get install -y --no-install-recommends docker.io iptables ca-certificates
elif command -v xbps-install >/dev/null; then
  xbps-install -Suy xbps && xbps-install -y docker
  mkdir -p /etc/runit/runsvdir/default && ln -sf /etc/sv/docker /etc/runit/runsvdir/default/
elif command -v apk >/dev/null; then
  apk add --no-cache docker
  rc-update add docker default
elif command -v dnf >/dev/null; then
  dnf install -y moby-engine
  systemctl enable docker
else
  echo "--docker: no package manager that banger knows (apt-get, xbps-install, apk, dnf)" >&2
  exit 1
fi
`

/**
 * What must not be the same in every VM of the image. An empty machine-id is a new one at each first boot; the guest program
 * gives each VM its own ssh host key and its owner's authorised key.
 */
export const FINISH = `#!/bin/sh
rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub /root/.ssh/authorized_keys /var/lib/systemd/random-seed
if [ -s /etc/machine-id ]; then : > /etc/machine-id; fi
if [ -f /var/lib/dbus/machine-id ] && [ ! -L /var/lib/dbus/machine-id ]; then rm -f /var/lib/dbus/machine-id; fi
exit 0
`
