# From a disk to a host VM that is ready for banger, and from there to one that has it.
# shellcheck shell=bash

INSTALL_DEADLINE=900
AFTER_INSTALL=$HOSTVM/after-install

# build_base: boots the disk once; every later start is a restore of this checkpoint.
build_base() {
  BASE=$(base_dir)
  [[ -d $BASE ]] && return
  local began=$SECONDS DIR=$BASE.partial
  [[ ! -d $DIR ]] || stop_qemu
  rm -rf "$DIR"
  mkdir "$DIR"
  # Whatever fails below, no QEMU is left behind.
  # shellcheck disable=SC2064 # DIR is gone when the trap runs
  trap "DIR='$DIR' stop_qemu" EXIT
  say "booting the host VM once ($(accelerator))"
  start_qemu "$(disk_dir)/disk.raw" raw
  greet "$BOOT_DEADLINE" || die 1 "the host VM did not boot in $BOOT_DEADLINE s" "Console: $DIR/console.log"
  say "the host VM answers after $((SECONDS - began)) s"
  vm_or_dead "$BOOT_DEADLINE" root 'systemctl is-system-running --wait' >/dev/null ||
    die 1 "the host VM booted with failed units" "$(vm root 'systemctl --failed --no-legend')" "Console: $DIR/console.log"
  vm_or_dead 60 root 'modprobe kvm-amd || modprobe kvm-intel; test -c /dev/kvm' ||
    die 1 "the host VM has no nested KVM" "Console: $DIR/console.log"
  checkpoint base
  printf '%s\n' "${MACHINE[@]}" >"$DIR/machine"
  rm -f "$DIR"/{pid,port,monitor}
  mv "$DIR" "$BASE"
  trap - EXIT
  say "the base checkpoint is made: $((SECONDS - began)) s"
}

prepare() {
  build_disk
  machine_arguments
  build_base
}

# build_digest DIRECTORY: of all that an installation depends on.
build_digest() {
  { tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - . && cat "$AFTER_INSTALL" 2>/dev/null; echo "$BASE"; } | digest
}

install_build() {
  local script
  say "copying $1"
  vm_or_dead 60 owner 'rm -rf banger' </dev/null
  copy_into owner "$1" banger
  say "installing banger"
  vm_or_dead "$INSTALL_DEADLINE" owner 'cd ~/banger && sudo ./bin/banger system install --owner owner' </dev/null >&2 ||
    die 1 "the installer failed in the host VM" "Its messages stand above." "Look around: hostvm exec -- ..."
  [[ -f $AFTER_INSTALL ]] || return 0
  say "running after-install"
  script=$(send_script owner "$AFTER_INSTALL")
  vm_or_dead "$INSTALL_DEADLINE" owner "$script" </dev/null >&2 ||
    die 1 "after-install failed in the host VM" "Its messages stand above." "Look around: hostvm exec -- ..."
}

# up [BUILD_DIRECTORY]: without one, the host VM as it is before banger.
up() {
  local began=$SECONDS build=${1-} want
  locked "$CACHE/lock" 3600 prepare
  machine_arguments
  BASE=$(base_dir)
  want=$BASE
  [[ -z $build ]] || want=$(build_digest "$build")
  mkdir -p "$DIR"
  if [[ $(cat "$DIR/built-from" 2>/dev/null) == "$want" ]]; then
    if running && greet 30; then
      say "$INSTANCE is up already"
      return
    fi
    reset
  else
    stop_qemu
    rm -rf "$DIR"
    mkdir -p "$DIR"
    ln -s "$BASE" "$DIR/base"
    : >"$DIR/restores"
    restore "$BASE" base
    if [[ $build ]]; then
      install_build "$build"
      checkpoint installed
      echo "$want" >"$DIR/built-from"
      reset
    else
      echo "$want" >"$DIR/built-from"
    fi
  fi
  say "$INSTANCE is up: $((SECONDS - began)) s"
}

# like INSTANCE: its checkpoint is read by both; each writes to an overlay of its own.
like() {
  local other=$REPO/.hostvm/$1
  [[ -f $other/installed.state && $1 != "$INSTANCE" ]] || die 1 "the host VM $1 has no checkpoint to start from" "Run: BANGER_HOSTVM=$1 hostvm up"
  stop_qemu
  rm -rf "$DIR"
  mkdir -p "$DIR"
  ln -s "$(readlink "$other/base")" "$DIR/base"
  ln -s "$other"/installed.{qcow2,state} "$DIR/"
  : >"$DIR/restores"
  cp "$other/built-from" "$DIR/"
  reset
}

# reset: back to the state after the last `up`.
reset() {
  [[ -f $DIR/built-from ]] || die 1 "the host VM $INSTANCE has nothing to go back to" "Run: hostvm up"
  if [[ -f $DIR/installed.state ]]; then
    restore "$DIR" installed
  else
    restore "$DIR/base" base
  fi
}

# boot_again COMMAND...: COMMAND makes the host VM boot; ready when ssh answers in the new boot.
boot_again() {
  local before
  before=$(boot_id) || dead
  "$@"
  disconnect
  eventually "$BOOT_DEADLINE" booted_since "$before" || dead
  greet 30 || dead
}
reboot() { boot_again vm_or_dead 0 root 'systemctl reboot --no-block' </dev/null; }
crash() { boot_again monitor system_reset >/dev/null; }
