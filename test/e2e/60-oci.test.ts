/** Container images from a real registry, and from files: the same files as umoci makes of them as root, and they boot (spec 6.3). */
import { execFileSync } from "node:child_process"
import { tmpdir } from "node:os"
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, hostvm, leaks, ok, registry, reset, sh } from "../host.ts"

const LIST_TREE = `${tmpdir()}/banger-list-tree`

beforeAll(async () => {
  await reset()
  await hostvm("copy", "test/oci", "vm:oci")
  execFileSync("go", ["build", "-o", LIST_TREE, "./cmd/list-tree"], { cwd: "native", env: { ...process.env, CGO_ENABLED: "0" } })
  await hostvm("copy", LIST_TREE, "vm:oci/list-tree")
  await registry()
})

/** Of these files of a guest, those that it has written, or taken away, since it began to boot: their own time of change says so, or that of their directory. */
const writtenByItself = (image: string, names: ReadonlyArray<string>) =>
  ok(`banger vm exec ${image} -- sh -c 'boot=$(($(date +%s) - $(cut -d. -f1 /proc/uptime)))
    while read -r name; do at=$(stat -c %Z "/$name" 2>/dev/null || stat -c %Z "/$(dirname "$name")"); [ "$at" -lt "$boot" ] || echo "$name"; done'`, { input: names.map((name) => `${name}\n`).join("") })

/** Entries of umoci's tree that are otherwise in a guest that has just booted: looked at from inside, below what is mounted there. */
const differencesInside = async (image: string) => {
  // On the work disk: it is no part of the image, and some distributions let nothing run in /run.
  await ok(`banger vm exec ${image} -- sh -c 'cat >/root/list-tree; chmod 0755 /root/list-tree' <oci/list-tree`)
  const inside = new Set((await ok(`banger vm exec ${image} -- /root/list-tree --bare`)).split("\n"))
  const theirs = (await ok("cat /tmp/theirs", { root: true })).split("\n")
  const nameOf = (line: string): string => JSON.parse(JSON.parse(line).name)
  // What the work disk covers is compared in the store's files, and run below.
  const others = theirs.filter((line) => !inside.has(line) && !nameOf(line).startsWith("root/"))
  const own = new Set((await writtenByItself(image, others.map(nameOf))).split("\n"))
  return others.filter((line) => !own.has(nameOf(line)))
}

/** Entries in which the store's file systems, the work seed at /root, differ from what umoci made of the same layers. */
const differences = async (image: string) => {
  const { files: { rootfs, seed } } = JSON.parse(await ok(`banger image show ${image} --json`))
  return ok(`mkdir -p /mnt/image && mount -o loop,ro /var/lib/banger/root/store/${rootfs} /mnt/image
    ls -A /mnt/image/root; mount -o loop,ro /var/lib/banger/root/store/${seed} /mnt/image/root
    ~owner/oci/list-tree /mnt/image > /tmp/ours; umount /mnt/image/root /mnt/image
    ~owner/oci/list-tree /srv/oci/$1.umoci/rootfs > /tmp/theirs
    test $(wc -l < /tmp/theirs) -gt 20; diff /tmp/ours /tmp/theirs || true`, { root: true, args: [image] })
}

const images = ALL ? ["busybox", "runit", "plain", "debian"] : ["busybox"]
/** Seconds: umoci and skopeo take over ten minutes for a Debian in an emulated host VM. */
const LIMIT = 3600

describe("container images", () => {
  for (const image of images) {
    it(`${image}: pulled, the same files as umoci's, boots, and stops in order`, async () => {
      await ok(`~owner/oci/make-image ${image} /srv/images/${image}.ext4`, { root: true, limit: LIMIT })
      const pulled = await sh(`banger image pull oci://127.0.0.1:5000/${image}:1 --name ${image} --size 9G --kernel debian-6.1 --verbose`)
      expect(pulled.status, pulled.stderr).toBe(0)
      expect(pulled.stdout).toMatch(new RegExp(`^${image} is made of sha256:[0-9a-f]{64}\n$`))
      expect(await differences(image)).toBe("")
      await ok(`banger vm create --name ${image} --image ${image} --memory 192`)
      expect(await ok(`banger vm exec ${image} -- cat /etc/issue`)).toBe("changed")
      expect(await differencesInside(image)).toEqual([])
      // Variables and directory of the image's configuration hold for its commands.
      expect(await ok(`banger vm exec ${image} -- sh -c 'echo $IMAGE; pwd'`)).toBe(`${image}\n/srv`)
      // What it has in /root is on the work disk, which has been made as large as it is to be.
      expect(await ok(`banger vm exec --cwd /root/app ${image} -- sh -c './run.sh; stat -c "%u %h" again'`)).toBe("from the image\n12345 2")
      expect(Number(await ok(`banger vm exec ${image} -- df -P -m /root | awk 'END {print $2}'`))).toBeGreaterThan(7_500)
      // Room to work in, and inodes.
      expect(Number(await ok(`banger vm exec ${image} -- df -P -m / | awk 'END {print $4}'`))).toBeGreaterThan(7_000)
      expect(await ok(`banger vm exec ${image} -- sh -c 'stat -f -c %d / && touch /srv/written && sync'`)).toMatch(/^\d{6,}$/)
      const stopped = await sh(`banger vm stop --timeout 180s ${image}`)
      expect(stopped.stdout + stopped.stderr).toMatch(/in order/)
      await ok(`banger vm delete --yes ${image}`)
      expect(await leaks()).toEqual([])
    }, LIMIT * 1000)
  }

  it("the same digest is not fetched again; layers are kept", async () => {
    expect(JSON.parse(await ok("banger image pull oci://127.0.0.1:5000/busybox:1 --name busybox --insecure --json | tail -n 1"))).toMatchObject({ _tag: "Made", message: expect.stringMatching(/^busybox is up to date: sha256:/) })
    expect(Number(await ok("ls /var/cache/banger/layers | wc -l"))).toBe(2 * images.length)
    await ok("systemctl stop docker-registry", { root: true })
    const { status, stderr } = await sh("banger image pull oci://127.0.0.1:5000/busybox:2 --name other")
    expect(status).toBe(1)
    expect(stderr).toMatch(/127\.0\.0\.1:5000: .*refused/)
    expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(3)
    expect(await ok("ls /var/cache/banger/staging")).toBe("")
  })

  it.runIf(ALL)("imports a layout and the archive of a root file system", async () => {
    await ok("chmod -R a+rX /srv/oci/busybox && tar -C /srv/oci/busybox.umoci/rootfs --xattrs --xattrs-include='*' --format=posix -czf /srv/oci/flat.tar.gz . && chmod a+r /srv/oci/flat.tar.gz", { root: true })
    await ok("banger image import /srv/oci/busybox --name from-layout --size 9G --kernel debian-6.1 --verbose")
    expect(JSON.parse(await ok("banger image import /srv/oci/flat.tar.gz --name busybox --json | tail -n 1"))).toMatchObject({ _tag: "Made", image: { files: { name: "busybox" } } })
    expect(await differences("busybox")).toBe("")
    const { run, source } = JSON.parse(await ok("banger image show from-layout --json"))
    expect(run.env).toContain("IMAGE=busybox")
    expect(source.reference).toBe("/srv/oci/busybox")
    const refused = await sh("banger image import /etc/passwd --name nothing")
    expect(refused.status).toBe(1)
    expect(refused.stderr).toMatch(/^banger: cannot use \/etc\/passwd: it is no archive that banger knows\n {2}give an OCI layout/)
  })
})
