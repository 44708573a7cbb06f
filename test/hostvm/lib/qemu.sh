# One QEMU process: start, stop, checkpoint, restore. It runs with $DIR as its working directory, which is also how it is
# recognised, and keeps the names of its sockets short (a unix socket's path holds 107 bytes).
# shellcheck shell=bash

MEMORY_MIB=4096
BOOT_DEADLINE=900
# A checkpoint is restored in 1-2 s on an idle machine.
RESTORE_DEADLINE=60
RESTORE_RETRIES=2

# The machine; a checkpoint fits only the one that it was made of, so each keeps its own.
# shellcheck disable=SC2054 # QEMU's commas
machine_arguments() {
  # One processor where it is emulated: with two, a flush of one's TLB by the other in the midst of a nested guest's exit
  # kills the host's kernel or a guest a few times an hour, and a test is no faster. Without AVX2, since behind its wide
  # registers QEMU's emulation of everything narrower is slow: Go's sha256 takes half the time without.
  local cpu=(-accel tcg -cpu EPYC,-avx2 -smp 1)
  [[ $(accelerator) == kvm ]] && cpu=(-accel kvm -cpu host -smp 2)
  # audit and the mitigations only cost time here. A kernel that has oopsed is not to be tested on.
  MACHINE=(
    "${cpu[@]}" -machine pc -m "$MEMORY_MIB" -nodefaults -no-user-config -display none
    -kernel "$(disk_dir)/vmlinuz" -initrd "$(disk_dir)/initrd"
    -append 'root=/dev/vda rw console=ttyS0 quiet loglevel=4 net.ifnames=0 audit=0 mitigations=off oops=panic'
    -device virtio-blk-pci,drive=disk -device virtio-net-pci,netdev=net -device virtio-rng-pci -device isa-serial,chardev=console
  )
}

base_dir() { echo "$CACHE/base-$({ printf '%s\n' "${MACHINE[@]}"; qemu-system-x86_64 --version; declare -f build_base; } | digest)"; }

qemu_pid() {
  local pid
  pid=$(cat "$DIR/pid" 2>/dev/null) && [[ $pid && $(readlink "/proc/$pid/cwd") == "$DIR" ]] && echo "$pid"
}

running() { qemu_pid >/dev/null; }
stopped() { ! running; }

monitor() { (cd "$DIR" && timeout 20 socat -t 10 - UNIX-CONNECT:monitor <<<"$1" 2>/dev/null); }
monitor_says() { monitor "$1" | grep -q "$2"; }

# start_qemu DISK FORMAT [ARGUMENT...]: on a fresh overlay of DISK, its ssh port forwarded to a free loopback port.
start_qemu() {
  local disk=$1 format=$2 try
  shift 2
  (cd "$DIR" && qemu-img create -q -f qcow2 -b "$disk" -F "$format" run.qcow2)
  for try in 1 2 3 4 5; do
    # Below the range from which the kernel takes ports for outgoing connections.
    local port=$((20000 + RANDOM % 10000))
    rm -f "$DIR"/{pid,monitor}
    (
      cd "$DIR" && exec setsid qemu-system-x86_64 "${MACHINE[@]}" -pidfile pid -monitor unix:monitor,server=on,wait=off \
        -drive if=none,id=disk,file=run.qcow2,format=qcow2,cache=unsafe,discard=unmap \
        -netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$port-10.0.2.15:22" \
        -chardev file,id=console,path=console.log,append=on "$@" </dev/null >qemu.log 2>&1 9>&-
    ) &
    if eventually 20 monitor_or_gone $! && kill -0 $! 2>/dev/null; then
      echo "$port" >"$DIR/port"
      end_with_panic $!
      return
    fi
    grep -q 'host forwarding' "$DIR/qemu.log" || break
  done
  die 1 "QEMU does not start (try $try)" "$(tail -n 3 "$DIR/qemu.log")" "Its messages: $DIR/qemu.log"
}

# end_with_panic PID: a host VM whose kernel panicked only spins; without its QEMU every command fails at once.
end_with_panic() {
  setsid bash -c 'tail -n 0 -F --pid="$1" "$2" 2>/dev/null | grep -q -m 1 "Kernel panic" && kill -KILL "$1"' panic "$1" "$DIR/console.log" \
    </dev/null >/dev/null 2>&1 9>&- &
}

monitor_or_gone() { monitor_says 'info status' 'VM status' || ! kill -0 "$1" 2>/dev/null; }

stop_qemu() {
  disconnect
  local pid
  pid=$(qemu_pid) || return 0
  kill "$pid"
  eventually 10 stopped || kill -KILL "$pid"
  eventually 10 stopped || die 1 "QEMU, process $pid, does not end"
}

# checkpoint NAME: freezes the running host VM into NAME.qcow2 and NAME.state and ends it.
checkpoint() {
  vm root sync || dead
  disconnect
  monitor stop >/dev/null
  monitor 'migrate_set_parameter max-bandwidth 10G' >/dev/null
  monitor "migrate -d \"exec:cat >$1.state\"" >/dev/null
  eventually 120 monitor_says 'info migrate' 'Migration status: completed' ||
    die 1 "the checkpoint $1 was not written in 120 s" "$(monitor 'info migrate' | grep -i status)"
  stop_qemu
  mv "$DIR/run.qcow2" "$DIR/$1.qcow2"
}

# restore DIRECTORY NAME: runs again from a checkpoint. A restored host VM that is itself dead is started again, and told.
restore() {
  local try
  mapfile -t MACHINE <"$DIR/base/machine"
  touch "$DIR/base/"
  for ((try = 0; try <= RESTORE_RETRIES; try++)); do
    stop_qemu
    start_qemu "$1/$2.qcow2" qcow2 -incoming "exec:cat $(printf %q "$1/$2.state")"
    # QEMU says "paused (inmigrate)" while it reads the state.
    if eventually "$RESTORE_DEADLINE" monitor_says 'info status' $'paused\r*$' && monitor cont >/dev/null && greet "$RESTORE_DEADLINE"; then
      return
    fi
    echo "$(date -u +%FT%TZ) $2" >>"$DIR/restores"
    say "the host VM is dead after a restore (instance $INSTANCE, $(repeated_restores) so far)"
  done
  dead
}

repeated_restores() { wc -l <"$DIR/restores"; }

# dead: the host VM does not live, whatever the command in it was.
dead() {
  [[ -f $DIR/built-from ]] || die "$DEAD" "there is no host VM $INSTANCE" "Run: hostvm up"
  local what='does not answer'
  running || what='is dead: its QEMU is gone'
  die "$DEAD" "the host VM $INSTANCE $what" "Console: $DIR/console.log, QEMU: $DIR/qemu.log" "Run: hostvm reset"
}
