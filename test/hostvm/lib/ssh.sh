# Commands and files go over one persistent ssh connection for each user.
# shellcheck shell=bash

# Five guests that boot at once starve the emulated host for a minute: it is slow then, not dead.
PATIENCE=180

# Runs with $DIR as working directory: see qemu.sh on socket names.
ssh_vm() {
  local user=$1
  shift
  (cd "$DIR" && exec ssh -F none -i "$CACHE/key" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no \
    -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=60 -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=$((PATIENCE / 5)) -o ControlPath="ssh-$user" -p "$(<port)" "$@" "$user@127.0.0.1")
}

# The process that holds the connection; nothing when there is none.
connection() { ssh_vm "$1" -O check 2>&1 | grep -o 'pid=[0-9]*'; }

connect() {
  running || return 1
  connection "$1" >/dev/null || (ssh_vm "$1" -M -N -f </dev/null >/dev/null 2>&1 9>&-)
}

disconnect() {
  local user
  for user in owner root; do
    [[ -S $DIR/ssh-$user ]] && ssh_vm "$user" -O exit >/dev/null 2>&1
    rm -f "$DIR/ssh-$user"
  done
}

# vm USER COMMAND: COMMAND is one line for the user's shell. Without the connection ssh must fail, not find another way:
# the address is this machine's own.
vm() {
  connect "$1" && (cd "$DIR" && exec ssh -F none -o ControlPath="ssh-$1" -o ProxyCommand=false -o LogLevel=ERROR "$TTY" "$1@127.0.0.1" "$2")
}
TTY=-T

# vm_or_dead SECONDS USER COMMAND: its status is the command's (124 at the deadline, 0 = none). A connection that broke
# meanwhile, or a host VM that no longer answers, is the host VM's failure.
vm_or_dead() {
  local seconds=$1 user=$2 command=$3 before status=0
  running || dead
  eventually "$PATIENCE" connect "$user" || dead
  before=$(connection "$user")
  ((seconds == 0)) || command="timeout --kill-after=5 $seconds bash -c $(printf %q "$command")"
  vm "$user" "$command" || status=$?
  ((status != 255)) || [[ $(connection "$user") == "$before" ]] || dead
  return "$status"
}

# greet SECONDS: waits for the host VM and gives it what a checkpoint cannot hold: the time and fresh entropy.
greet() {
  eventually "$1" connect root || return 1
  head -c 64 /dev/urandom | vm root "date -s @$(date +%s.%N) && cat >/dev/urandom" >/dev/null
}

boot_id() { vm root 'cat /proc/sys/kernel/random/boot_id' 2>/dev/null </dev/null; }

# Whether the host VM has booted anew since the boot $1.
booted_since() {
  local now
  now=$(boot_id) && [[ $now != "$1" ]] && return
  disconnect
  return 1
}
