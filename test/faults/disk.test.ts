/** Somebody fills the disk of the host to the last byte: running VMs are paused before, and go on when there is room, with all they had. */
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, eventually, hostvm, leaks, ok, reset, sh } from "../host.ts"

beforeAll(() => reset())

const FILLER = "/var/lib/banger/filler"

/** As root, who may use what ext4 keeps from others: first at once, then byte by byte. The shell's last line is what is left. */
const fill = () =>
  ok(`fallocate -l $(( $(df --output=avail -B1 /var/lib/banger | tail -1) - 3221225472 )) ${FILLER}
    dd if=/dev/zero bs=1M oflag=append conv=notrunc of=${FILLER} 2>/dev/null; dd if=/dev/zero bs=4k oflag=append conv=notrunc of=${FILLER} 2>/dev/null
    df --output=avail -B1 /var/lib/banger | tail -1 | tr -d " "`, { root: true })

const makeRoom = () => ok(`rm -f ${FILLER}`, { root: true })

/** As the daemon has it: a record cannot be written on a full disk. */
const all = (names: ReadonlyArray<string>, state: string) =>
  eventually(`banger vm list --json | jq -e '[.[] | select(.name | IN(${names.map((name) => `"${name}"`).join(", ")})) | .state] == [${names.map(() => `"${state}"`).join(", ")}]'`)

/** Writes to both disks without an end, each time all that it has written before is on the disk, and counts. */
const WRITER = `n=0; while :; do n=$((n + 1)); for d in /root /var; do dd if=/dev/urandom of=$d/noise bs=256k count=16 conv=fsync 2>/dev/null || echo broken >>/dev/shm/broken; echo $n >$d/count; sync $d/count; done; echo $n >/dev/shm/count; done`

const writing = (name: string) => ok(`banger vm exec ${name} -- sh -c ${JSON.stringify(`setsid sh -c '${WRITER}' >/dev/null 2>&1 & echo`)}`.replaceAll("$", "\\$"))
const count = async (name: string) => Number(await ok(`banger vm exec ${name} -- cat /dev/shm/count`))

/** Whether the guest met an error of a disk, as itself and as its kernel saw it. */
const unharmed = async (name: string) => {
  expect(await ok(`banger vm exec ${name} -- sh -c 'cat /dev/shm/broken 2>/dev/null; dmesg | grep -iE "i/o error|ext4-fs error|remount" | grep -v "re-mounted"; true'`), name).toBe("")
}

/** Both disks of a VM that is stopped: the root disk as the kernel would show it to the VM again. */
const clean = async (name: string) => {
  const { vm: { id }, imageDigest } = JSON.parse(await ok(`banger vm show ${name} --json`))
  await ok(`set -e; cd /var/lib/banger/root; e2fsck -fn vms/${id}/work
    o=$(losetup -f --show -r store/${imageDigest}); c=$(losetup -f --show vms/${id}/cow)
    dmsetup create look --table "0 $(( $(stat -c %s store/${imageDigest}) / 512 )) snapshot $o $c P 8"
    dmsetup status look | grep -v Invalid; e2fsck -fn /dev/mapper/look; dmsetup remove --retry look; losetup -d $o $c`, { root: true })
}

describe("the host's disk fills up", () => {
  it("a VM is paused, its owner is told at once, a command in it goes on when there is room", async () => {
    await ok("banger vm create --name held --image plain --memory 192")
    const session = sh("banger vm exec held -- sh -c 'echo begun >/dev/shm/begun; while ! test -e /dev/shm/end; do sleep 0.2; done; echo went on'")
    await eventually("banger vm exec held -- test -e /dev/shm/begun")
    await ok(`fallocate -l $(( $(df --output=avail -B1 /var/lib/banger | tail -1) - 1073741824 )) ${FILLER}`, { root: true })
    await all(["held"], "paused")
    const [exec, list, doctor, create] = await Promise.all([sh("time -p timeout 60 banger vm exec held -- true"), ok("banger vm list"), sh("banger doctor"), sh("banger vm create --name more --image plain --memory 192")])
    expect(exec.status).toBe(125)
    expect(exec.stderr).toMatch(/held is paused, not running\n.*nearly full, and it goes on when 2\.3 GiB are free.*banger prune/)
    expect(list).toMatch(/held +paused \(the host's disk is nearly full, and it goes on when 2\.3 GiB are free/)
    expect(doctor.stdout).toMatch(/held paused: the host's disk is nearly full, and it goes on when 2\.3 GiB are free/)
    expect(create.stderr).toMatch(/1\.0 GiB free/)
    await makeRoom()
    await all(["held"], "running")
    await ok("banger vm exec held -- touch /dev/shm/end")
    expect(await session).toMatchObject({ status: 0, stdout: "went on\n" })
    expect(await ok("banger vm logs --daemon held")).toMatch(/paused: the host's disk[\s\S]*running/)
    await ok("banger vm delete --yes --force held")
    expect(await leaks()).toEqual([])
  })

  it.runIf(ALL)("a build whose VM is paused says so, and goes on", async () => {
    await ok("echo 'touch /run/begun; while ! test -e /run/end; do sleep 0.2; done; echo went on' >waits.sh")
    const build = sh("banger image build --name waited --from plain --script waits.sh")
    await eventually("banger vm exec build-waited -- test -e /run/begun")
    await ok(`fallocate -l $(( $(df --output=avail -B1 /var/lib/banger | tail -1) - 1073741824 )) ${FILLER}`, { root: true })
    await all(["build-waited"], "paused")
    await makeRoom()
    await all(["build-waited"], "running")
    await ok("banger vm exec build-waited -- touch /run/end")
    const { status, stderr, stdout } = await build
    expect(status, stderr).toBe(0)
    expect(stdout + stderr).toMatch(/build-waited is paused: the host's disk is nearly full[\s\S]*build-waited goes on[\s\S]*went on/)
    await ok("banger image delete waited")
    expect(await leaks()).toEqual([])
  })

  it.runIf(ALL)("to the last byte, while three VMs write and the daemon restarts: nothing is lost", async () => {
    const vms = ["one", "two", "three"]
    for (const name of vms) await ok(`banger vm create --name ${name} --image plain --memory 192`)
    const boots = await Promise.all(vms.map((name) => ok(`banger vm exec ${name} -- cat /proc/sys/kernel/random/boot_id`)))
    await Promise.all(vms.map(writing))
    for (const name of vms) await eventually(`banger vm exec ${name} -- test -s /dev/shm/count`)
    expect(await fill()).toBe("0")
    await all(vms, "paused")
    expect(await ok("dmsetup status --target snapshot", { root: true })).not.toMatch(/Invalid/)
    await ok("systemctl kill --signal=KILL bangerd", { root: true })
    await all(vms, "paused")
    await makeRoom()
    await all(vms, "running")
    const before = await Promise.all(vms.map(count))
    for (const [at, name] of vms.entries()) {
      await eventually(`test $(banger vm exec ${name} -- cat /dev/shm/count) -gt ${before[at]}`)
      expect(await ok(`banger vm exec ${name} -- cat /proc/sys/kernel/random/boot_id`)).toBe(boots[at])
      await unharmed(name)
    }
    await ok(`banger vm stop --timeout 180s ${vms.join(" ")}`)
    for (const name of vms) await clean(name)
    await ok(`banger vm delete --yes ${vms.join(" ")}`)
    expect(await leaks()).toEqual([])
  })

  it.runIf(ALL)("to the last byte, and the host is rebooted: what takes room can be removed", async () => {
    await ok("banger vm create --name kept --image plain --memory 192 && banger vm create --name gone --image plain --memory 192")
    await fill()
    await all(["gone", "kept"], "paused")
    await hostvm("reboot")
    // Until a VM has been looked for, its record has the state of before.
    await eventually(`banger vm list --all --json | jq -e 'map(.state) == ["stopped", "stopped"]'`)
    await ok("banger prune && banger vm delete --yes gone")
    await makeRoom()
    await ok("banger vm start kept && banger vm delete --yes --force kept")
    expect(await leaks()).toEqual([])
  })
})
