#!/bin/bash
# Makes Void's container image a machine to work in. Variables and their defaults: catalog.json. An empty one leaves its part out.
set -euo pipefail

say() { printf '== %s\n' "$*"; }

say "packages"
mkdir -p /etc/xbps.d
printf 'repository=%s\n' "$XBPS_REPOSITORY" > /etc/xbps.d/00-repository-main.conf
xbps-install -Syu xbps
xbps-install -Syu
# shellcheck disable=SC2086 # words are packages
xbps-install -y $PACKAGES
# The service directory of a machine; the container image has none.
mkdir -p /etc/runit/runsvdir/default
for service in $SERVICES; do ln -sf "/etc/sv/$service" /etc/runit/runsvdir/default/; done

if [ -n "$MISE_URL" ]; then
  say "mise"
  curl -fsSL "$MISE_URL" -o /usr/local/bin/mise
  chmod 0755 /usr/local/bin/mise
  printf 'eval "$(/usr/local/bin/mise activate bash)"\n' > /etc/profile.d/mise.sh
  mkdir -p /etc/bash/bashrc.d
  cp /etc/profile.d/mise.sh /etc/bash/bashrc.d/mise.sh
  for tool in $MISE_TOOLS; do
    say "$tool"
    HOME=/root /usr/local/bin/mise use --global --yes "$tool"
  done
fi

say "cleaning up"
rm -rf /var/cache/xbps/*
