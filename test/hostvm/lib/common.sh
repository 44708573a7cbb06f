# Paths, messages, deadlines and locks shared by every part of hostvm.
# shellcheck shell=bash

# The order of names decides digests.
export LC_ALL=C

REPO=$(cd "$HOSTVM/../.." && pwd)
CACHE=${BANGER_HOSTVM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/banger/hostvm}
INSTANCE=${BANGER_HOSTVM:-default}
DIR=$REPO/.hostvm/$INSTANCE

# The host VM itself is gone or silent: never the status of a command that ran in it.
readonly DEAD=254

say() { printf 'hostvm: %s\n' "$*" >&2; }

# die STATUS WHAT [LINE...]: what failed, then the cause and the fix.
die() {
  local status=$1
  say "$2"
  shift 2
  (($#)) && printf '  %s\n' "$@" >&2
  exit "$status"
}

# eventually SECONDS COMMAND...: runs it until it succeeds; fails at the deadline.
eventually() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

# locked FILE SECONDS COMMAND...: the lock is on descriptor 9, which background processes must close.
locked() {
  local file=$1 seconds=$2
  shift 2
  mkdir -p "$(dirname "$file")"
  (
    flock -w "$seconds" 9 || die 1 "another hostvm has held $file for $seconds s" "Wait for it, or end it."
    "$@"
  ) 9>"$file"
}

# digest: of standard input, short enough for a file name.
digest() { sha256sum | cut -c1-16; }
