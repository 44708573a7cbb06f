#!/bin/bash
# Makes Debian's container image a machine to work in. Variables and their defaults: catalog.json. An empty one leaves its part out.
set -euo pipefail

say() { printf '== %s\n' "$*"; }

say "packages"
rm -f /etc/apt/sources.list.d/debian.sources
printf '%s\n' "$APT_SOURCES" > /etc/apt/sources.list
# The container image leaves out what a machine's users look for, and keeps services from starting.
rm -f /etc/dpkg/dpkg.cfg.d/docker /etc/apt/apt.conf.d/docker-* /usr/sbin/policy-rc.d
apt-get update
apt-get dist-upgrade -y
# shellcheck disable=SC2086 # words are packages
apt-get install -y --no-install-recommends $PACKAGES

if [ -n "$DOCKER_URL" ]; then
  say "Docker"
  install -d -m 0755 /etc/apt/keyrings
  curl -fsSL "$DOCKER_URL/gpg" -o /etc/apt/keyrings/docker.asc
  printf 'deb [arch=amd64 signed-by=/etc/apt/keyrings/docker.asc] %s bookworm stable\n' "$DOCKER_URL" > /etc/apt/sources.list.d/docker.list
  apt-get update
  # shellcheck disable=SC2086
  apt-get install -y --no-install-recommends $DOCKER_PACKAGES
fi

if [ -n "$MISE_URL" ]; then
  say "mise"
  curl -fsSL "$MISE_URL" -o /usr/local/bin/mise
  chmod 0755 /usr/local/bin/mise
  # For login shells, and for the interactive ones that are none.
  printf 'eval "$(/usr/local/bin/mise activate bash)"\n' > /etc/profile.d/mise.sh
  grep -qs 'mise activate' /etc/bash.bashrc || printf 'eval "$(/usr/local/bin/mise activate bash)"\n' >> /etc/bash.bashrc
  for tool in $MISE_TOOLS; do
    say "$tool"
    HOME=/root /usr/local/bin/mise use --global --yes "$tool"
  done
fi

if [ -n "$TMUX_PLUGINS_URL" ] && command -v tmux >/dev/null; then
  say "tmux: sessions are saved by themselves, and restored by hand (prefix, Ctrl-r)"
  for plugin in tmux-resurrect tmux-continuum; do
    rm -rf "/usr/local/share/tmux/$plugin"
    git clone -q --depth 1 "$TMUX_PLUGINS_URL/$plugin" "/usr/local/share/tmux/$plugin"
    rm -rf "/usr/local/share/tmux/$plugin/.git"
  done
  cat > /etc/tmux.conf <<'TMUX'
set -g @continuum-save-interval '5'
set -g @continuum-restore 'off'
set -g status-right '%H:%M'
run-shell /usr/local/share/tmux/tmux-resurrect/resurrect.tmux
run-shell /usr/local/share/tmux/tmux-continuum/continuum.tmux
TMUX
fi

say "cleaning up"
apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/apt/* /var/log/dpkg.log
