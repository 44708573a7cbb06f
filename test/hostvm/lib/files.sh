# Files in and out of the host VM. Both ends run the same two scripts, one here and one there.
# shellcheck shell=bash

COPY_DEADLINE=600

# shellcheck disable=SC2016 # they are for another shell
PACK='tar -C "$(dirname "$1")" -cSf - "$(basename "$1")"'
# What arrives takes the name $1; a directory joins one that stands there, and a file goes into it.
# shellcheck disable=SC2016
UNPACK='set -e
mkdir -p "$(dirname "$1")"
work=$(mktemp -d "$(dirname "$1")/.hostvm.XXXXXX")
trap "rm -rf \"$work\"" EXIT
tar -C "$work" --no-same-owner -xSf -
got=$(find "$work" -mindepth 1 -maxdepth 1)
if [ -d "$got" ] && [ -d "$1" ]; then cp -a "$got/." "$1"; else mv -f "$got" "$1"; fi'

there() { vm_or_dead "$COPY_DEADLINE" "$1" "bash -c $(printf '%q _ %q' "$2" "$3")"; }
here() { timeout "$COPY_DEADLINE" bash -c "$1" _ "$2"; }

copy_into() { here "$PACK" "$(readlink -f "$2")" | there "$1" "$UNPACK" "$3"; }
copy_out() { there "$1" "$PACK" "$2" </dev/null | here "$UNPACK" "$3"; }

# send_script USER FILE: prints the name it has in the host VM.
send_script() {
  # shellcheck disable=SC2016
  vm_or_dead 60 "$1" 'f=$(mktemp) && cat >"$f" && chmod 0755 "$f" && echo "$f"' <"$2"
}
