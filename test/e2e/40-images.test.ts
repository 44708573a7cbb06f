/** Images with another init and with none, kernels, and the catalog's rules (spec 6). */
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, eventually, leaks, ok, reset, sh } from "../host.ts"

beforeAll(() => reset())

describe("images", () => {
  for (const [image, init] of [["plain", "none"], ["busybox", "busybox"]] as const) {
    it.runIf(ALL)(`${image}: boots, runs a command, stops in order`, async () => {
      expect(JSON.parse(await ok(`banger image register --name ${image} --rootfs /srv/images/${image}.ext4 --kernel debian-6.1 --json`))).toMatchObject({ files: { name: image }, kernel: "debian-6.1" })
      await ok(`banger vm create --name ${image} --image ${image} --memory 192`)
      expect(await ok(`banger vm exec ${image} -- uname -n`)).toBe(image)
      const stopped = await sh(`banger vm stop --timeout 180s ${image}`)
      expect(stopped.stdout + stopped.stderr, init).toMatch(/in order/)
    })
  }

  it.runIf(ALL)("an image in use is not deleted; a name registered again is a new generation", async () => {
    expect((await sh("banger image delete plain")).status).toBe(4)
    await ok("banger image register --name plain --rootfs /srv/images/busybox.ext4")
    expect(await ok("banger vm start plain && banger vm exec plain -- sh -c 'test -e /etc/debian_version && echo debian'")).toContain("debian")
    await ok("banger vm delete --yes --force plain busybox")
    await ok("banger image delete plain && banger image delete busybox")
    expect(await leaks()).toEqual([])
  })

  it.runIf(ALL)("one that is made for a cloud, with /root elsewhere and a fstab of other disks, boots whole", async () => {
    await ok(`cp --sparse=always /srv/images/debian.ext4 /srv/cloud.ext4 && mkdir -p /mnt/cloud && mount -o loop /srv/cloud.ext4 /mnt/cloud
      rm -rf /mnt/cloud/root && ln -s var/roothome /mnt/cloud/root
      printf '%s\\n' 'PARTUUID=0f0f0f0f-01 / ext4 rw,discard,errors=remount-ro 0 1' 'LABEL=UEFI /boot/efi vfat umask=0077 0 1' \
        'UUID=11111111-2222-3333-4444-555555555555 none swap sw 0 0' 'tmpfs /srv/scratch tmpfs size=1m 0 0' >/mnt/cloud/etc/fstab
      umount /mnt/cloud && chown owner: /srv/cloud.ext4`, { root: true })
    await ok("banger image register --name cloud --rootfs /srv/cloud.ext4 && banger vm create --name cloud --image cloud --memory 256")
    expect(await ok("banger vm exec cloud -- sh -c 'pwd -P; findmnt -no SOURCE /var/roothome'")).toBe("/var/roothome\n/dev/vdb")
    await eventually("banger vm exec cloud -- systemctl is-system-running | grep -E '^(running|degraded)$'")
    expect(await ok("banger vm exec cloud -- sh -c 'findmnt -no FSTYPE /srv/scratch; systemctl --failed --no-legend --type mount,swap'")).toBe("tmpfs")
    expect(await ok("banger vm ssh cloud -- pwd -P")).toBe("/var/roothome")
    expect(await ok("echo 'echo $PATH' | banger vm exec cloud -e PATH=/opt/tool/bin:/usr/bin:/bin")).toMatch(/^\/opt\/tool\/bin:/)
    await ok("banger vm delete --yes --force cloud && banger image delete cloud")
  })

  it.runIf(ALL)("a kernel that is deleted takes the initrd along that was made of it", async () => {
    const initrds = () => ok("ls /var/lib/banger/root/initrds", { root: true })
    const before = await initrds()
    expect(before).not.toBe("")
    await ok("sed -i '/default_kernel/d' ~/.config/banger/config.toml && banger kernel delete debian-6.1")
    expect(await initrds()).toBe("")
  })

  it("banger knows by name are listed with their kernels, and pulled by nobody", async () => {
    expect(await ok("banger catalog")).toMatch(/debian-bookworm/)
    expect(JSON.parse(await ok("banger catalog --json")).map(({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`)).toEqual(["image debian-bookworm", "image void", "kernel debian-6.1"])
  })

  it("refuses what is no image and no kernel, in one line with a reason", async () => {
    const notImage = await sh("banger image register --name x --rootfs /etc/passwd")
    expect(notImage.status).toBe(1)
    expect(notImage.stderr).toMatch(/ext4/)
    const notKernel = await sh("banger kernel import --name x --vmlinuz /etc/passwd --modules /lib/modules/$(uname -r)")
    expect(notKernel.status).toBe(1)
    expect(notKernel.stderr.trim().split("\n").length).toBeLessThanOrEqual(3)
    const notItsKernel = await sh("banger image register --name x --rootfs /srv/images/plain.ext4 --vmlinux /etc/passwd --modules /lib/modules/$(uname -r)")
    expect(notItsKernel.status).toBe(1)
    expect(notItsKernel.stderr).toMatch(/cannot use \/etc\/passwd/)
    expect((await sh("banger image show x")).status).toBe(3)
    expect((await sh("banger image show nothing")).status).toBe(3)
    expect(await ok("ls /var/cache/banger/staging")).toBe("")
  })
})
