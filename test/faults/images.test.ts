/** The daemon is killed while it makes images: none is ever half there, the next attempt comes to its end, and nothing is left over. */
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, eventually, hostvm, images, leaks, ok, registry, reset, sh } from "../host.ts"

/** Kills of each kind of work, each followed by a start of the daemon. */
const KILLS = 6

beforeAll(async () => {
  await reset()
  await hostvm("copy", "test/oci", "vm:oci")
  await registry()
  await ok("~owner/oci/make-image busybox /srv/images/busybox.ext4 && chmod -R a+rX /srv/oci/busybox", { root: true })
  await ok("cat > work.sh", { input: "dd if=/dev/urandom of=/root/noise bs=1M count=20\necho done > /etc/made\n" })
})

/** What the install has made. */
const before = ["debian-bookworm", "plain"]

const names = async () => (await images()).map(({ name }) => name).toSorted()
const orphans = async () => (JSON.parse(await ok("banger df --json")).usages as ReadonlyArray<{ what: string }>).filter(({ what }) => what === "orphan" || what === "staging")

/** Milliseconds that the command takes in the host VM. */
const timed = async (command: string) => Number(await ok(`began=$(date +%s%N); ${command} >/dev/null 2>&1 || exit 1; echo $(( ($(date +%s%N) - began) / 1000000 ))`))

/** Starts the command and kills the daemon, alone or with what it has started, after a while; returns when the next one answers. */
const killed = (command: string, ms: number, whom: "main" | "all") =>
  ok(`${command} >/dev/null 2>&1 & sleep ${(ms / 1000).toFixed(3)}
    sudo systemctl kill --kill-who=${whom} --signal=KILL bangerd.service; wait
    timeout 180 sh -c 'until banger daemon status >/dev/null 2>&1; do sleep 0.2; done'`)

/** Of our own making: what is written below it finds 1 MiB. */
const withSmallDisk = async (directory: string, act: () => Promise<void>) => {
  await ok(`mkdir -p ${directory} && mount -t tmpfs -o size=1M,uid=1000,mode=0700 tmpfs ${directory}`, { root: true })
  await act().finally(() => ok(`umount ${directory}`, { root: true }))
}

describe.runIf(ALL)("the disk", () => {
  const PULL = "banger image pull oci://127.0.0.1:5000/busybox:1 --name pulled"
  const IMPORT = "banger image import /srv/oci/flat.tar.gz --name imported"
  const full = /^banger: could not make the image: .*no space left on device\n {2}df -h .*banger prune/m

  for (const [what, directory, command, said] of [
    ["unpacks a pull", "/var/cache/banger/staging", PULL, full],
    ["keeps the layers of a pull", "/var/cache/banger/layers", PULL, full],
    ["unpacks an import", "/var/cache/banger/staging", IMPORT, full],
    ["copies an import", "/var/cache/banger/staging", "banger image import /srv/oci/busybox --name imported", /^banger: cannot copy \/srv\/oci\/busybox: \/var\/cache\/banger\/staging has [\d.]+ [KM]iB free, [\d.]+ MiB are wanted\n {2}df -h \/var\/cache\/banger\/staging; .*banger prune/m]
  ] as const) {
    it(`is full as it ${what}: said so, and nothing is left`, async () => {
      // Packed it fits, and its zeros would be holes.
      if (command === IMPORT) await ok("cd /tmp && yes | head -c 20000000 >full && tar -czf /srv/oci/flat.tar.gz full && rm full && chmod a+r /srv/oci/flat.tar.gz", { root: true })
      await withSmallDisk(directory, async () => {
        const { status, stderr } = await sh(command)
        expect(status).toBe(1)
        expect(stderr).toMatch(said)
        expect(await ok("ls /var/cache/banger/staging")).toBe("")
        expect(await names()).toEqual(before)
      })
    })
  }

  it("is nearly full: the reserve is kept", async () => {
    await ok("fallocate -l $(( $(df --output=avail -B1 /var/lib/banger | tail -1) - 1500000000 )) /var/lib/banger/filler", { root: true })
    const { status, stderr } = await sh("banger image pull oci://127.0.0.1:5000/busybox:1 --name pulled")
    await ok("rm /var/lib/banger/filler", { root: true })
    expect(status).toBe(1)
    expect(stderr).toMatch(/nearly full: [\d.]+ [GM]iB free/)
    expect(await ok("ls /var/cache/banger/staging")).toBe("")
  })
})

describe.runIf(ALL)("the daemon is killed", () => {
  for (const [what, name, command] of [
    ["a pull", "pulled", "banger image pull oci://127.0.0.1:5000/busybox:1 --name pulled"],
    ["an import", "imported", "banger image import /srv/oci/busybox --name imported"],
    ["a build", "built", "banger image build --name built --from plain --script work.sh --size 4G --again"]
  ] as const) {
    it(`in the midst of ${what}`, async () => {
      const took = await timed(command)
      await ok(`banger image delete ${name}; banger prune`)
      for (let kill = 0; kill < KILLS; kill++) {
        await killed(command, Math.random() * took, kill % 2 === 0 ? "main" : "all")
        const left = await names()
        expect([before, [...before, name].toSorted()]).toContainEqual(left)
        if (left.includes(name)) await ok(`banger image delete ${name}`)
        await eventually("test -z \"$(banger vm list --all -q)\"")
      }
      await ok(command)
      expect(await names()).toEqual([...before, name].toSorted())
      await eventually("! banger df --json | grep -qE '\"(orphan|staging)\"'")
      expect(await orphans()).toEqual([])
      expect(await ok(`banger vm run --rm --image ${name} --memory 192 -- sh -c 'cat /etc/made 2>/dev/null || cat /etc/issue'`)).toBe(name === "built" ? "done" : "changed")
      await ok(`banger image delete ${name}`)
      expect(await leaks()).toEqual([])
    }, 3_600_000)
  }
})
