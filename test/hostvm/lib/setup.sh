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

setup() {
  local packages root=()
  mapfile -t packages < <(missing_packages)
  ((${#packages[@]})) || return 0
  local install="apt-get install -y --no-install-recommends ${packages[*]}"
  if ! type -P apt-get >/dev/null; then
    die 1 "these tools are missing: ${packages[*]} (names of Debian packages)" \
      "This system has no apt: install them its own way."
  fi
  if ((EUID)); then
    sudo -n true 2>/dev/null || die 1 "these packages are missing: ${packages[*]}" "Run: sudo $install"
    root=(sudo -n)
  fi
  say "installing ${packages[*]}"
  "${root[@]}" apt-get update -qq >&2 || say "apt-get update failed; trying with the lists there are"
  # shellcheck disable=SC2086 # one word per package
  DEBIAN_FRONTEND=noninteractive "${root[@]}" $install >&2 ||
    die 1 "cannot install ${packages[*]}" "apt's message stands above. Run: sudo $install"
  mapfile -t packages < <(missing_packages)
  ((${#packages[@]} == 0)) || die 1 "still missing after the installation: ${packages[*]}"
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
