# The tools hostvm runs with, and whether KVM here can run a guest.
# shellcheck shell=bash

# package:command pairs.
NEEDS=(
  qemu-system-x86:qemu-system-x86_64 qemu-utils:qemu-img mmdebstrap:mmdebstrap e2fsprogs:mkfs.ext4
  openssh-client:ssh socat:socat python3:python3 python3-pip:pip3
)
((EUID)) && NEEDS+=(fakeroot:fakeroot uidmap:newuidmap)

missing_packages() {
  local need
  for need in "${NEEDS[@]}"; do
    PATH=$PATH:/usr/sbin:/sbin type -P "${need#*:}" >/dev/null || echo "${need%%:*}"
  done
}

# Under emulation by 7.2 the host VM's kernel died about once an hour, at the exit of a nested guest; 8.1 mended races
# between CPUs of which one runs code that the other one writes.
QEMU_MINIMUM=8.1

qemu_is_new_enough() {
  local version
  version=$(qemu-system-x86_64 --version 2>/dev/null | sed -n 's/.*version \([0-9.]*\).*/\1/p')
  [[ $version && $(printf '%s\n' "$QEMU_MINIMUM" "$version" | sort -V | head -n 1) == "$QEMU_MINIMUM" ]]
}

# Debian 12 has a newer QEMU in its backports. apt gets a configuration of its own: the machine's stays as it is.
backported_qemu() {
  local archive own=$CACHE/backports
  archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Codename: bookworm' | head -n 1)
  mkdir -p "$own/lists/partial"
  printf 'deb %s %s main\n' "${archive:=http://deb.debian.org/debian}" bookworm "$archive" bookworm-backports >"$own/sources"
  local apt=(apt-get -o "Dir::Etc::sourcelist=$own/sources" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$own/lists"
    -o Acquire::Check-Valid-Until=false)
  say "installing a newer QEMU"
  as_superuser "${apt[*]} update -qq && ${apt[*]} install -y --no-install-recommends -t bookworm-backports qemu-system-x86 qemu-utils"
}

# as_superuser COMMAND: one line for sh.
as_superuser() {
  local root=()
  if ((EUID)); then
    sudo -n true 2>/dev/null || die 1 "packages are missing, and this user may not install them" "Run: sudo sh -c '$1'"
    root=(sudo -n)
  fi
  "${root[@]}" sh -c "export DEBIAN_FRONTEND=noninteractive; $1" >&2 || die 1 "cannot install packages" "The message stands above. Run: sudo sh -c '$1'"
}

setup() {
  local packages
  if ! qemu_is_new_enough && grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then backported_qemu; fi
  mapfile -t packages < <(missing_packages)
  if ((${#packages[@]})); then
    if ! type -P apt-get >/dev/null; then
      die 1 "these tools are missing: ${packages[*]} (names of Debian packages)" \
        "This system has no apt: install them its own way."
    fi
    say "installing ${packages[*]}"
    # An archive frozen at some day may have expired release files; its lists may still do.
    as_superuser "apt-get update -qq; apt-get install -y --no-install-recommends ${packages[*]}"
    mapfile -t packages < <(missing_packages)
    ((${#packages[@]} == 0)) || die 1 "still missing after the installation: ${packages[*]}"
  fi
  qemu_is_new_enough ||
    die 1 "QEMU $QEMU_MINIMUM or newer is needed, this system has $(qemu-system-x86_64 --version | head -n 1)" "Install a newer one by hand."
}

# A boot sector that writes to QEMU's debug-exit port: `mov al,16; out 0xf4,al; hlt`. QEMU then exits with 16*2+1.
kvm_runs_a_guest() {
  local sector=$1 status=0
  { printf '\xb0\x10\xe6\xf4\xf4'; head -c 505 /dev/zero; printf '\x55\xaa'; } >"$sector"
  timeout 20 qemu-system-x86_64 -accel kvm -cpu host -m 16 -nodefaults -display none \
    -device isa-debug-exit,iobase=0xf4,iosize=1 -drive "file=$sector,format=raw" >/dev/null 2>&1 || status=$?
  ((status == 33))
}

# A writable /dev/kvm may belong to a KVM that runs no ordinary guest or nests none, so this tries, once per boot of this machine.
accelerator() {
  local known
  known=$CACHE/accelerator-$(</proc/sys/kernel/random/boot_id)
  if [[ ! -s $known ]]; then
    mkdir -p "$CACHE"
    rm -f "$CACHE"/accelerator-*
    if [[ -w /dev/kvm ]] && grep -qs '[1Y]' /sys/module/kvm_{amd,intel}/parameters/nested &&
      kvm_runs_a_guest "$CACHE/accelerator.sector"; then
      echo kvm >"$known"
    else
      echo tcg >"$known"
    fi
    rm -f "$CACHE/accelerator.sector"
  fi
  cat "$known"
}
