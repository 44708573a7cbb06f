/** The worked example, a daemon with a capability of its own, installed in place of banger's (spec 11). */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, eventually, hostvm, leaks, ok, reset, sh, world, WORLD } from "../host.ts"

/** Of a build that was made, and by somebody who works, under the strictest umask. */
const install = (daemon?: string) => ok(`cd ~/banger && chmod -R go= . && umask 077 && sudo ./bin/banger system install --owner owner ${daemon === undefined ? "" : `--daemon ~/${daemon}`}`)
const say = (vm: string, message: string) => ok(`banger vm exec ${vm} -- leave-message '${message}'`)
const mailbox = async (vm: string) => {
  const { id } = JSON.parse(await ok(`banger vm show ${vm} --json`)).vm
  return `/var/lib/banger/daemon/vms/${id}/mailbox`
}

/** A daemon's bundle in the owner's home in the host VM. */
const bundled = async (entry: string, name: string) => {
  const bundles = fs.mkdtempSync(path.join(os.tmpdir(), "banger-example-"))
  execFileSync("node", ["packaging/build-daemon.ts", entry, path.join(bundles, name)], { stdio: "inherit" })
  await hostvm("copy", path.join(bundles, name), `vm:${name}`)
  fs.rmSync(bundles, { recursive: true })
}

beforeAll(async () => {
  await reset()
  await bundled("examples/custom-capability/main.ts", "bangerd-mailbox.mjs")
})

describe.runIf(ALL)("a daemon with a mailbox capability", () => {
  it("is installed over banger's own; a VM that runs is adopted", async () => {
    await ok("banger vm create --name before --image plain --memory 192")
    const pid = await ok("pgrep -x firecracker", { root: true })
    const boot = await ok("banger vm exec before -- cat /proc/sys/kernel/random/boot_id")
    await install("bangerd-mailbox.mjs")
    expect(await ok("banger vm exec before -- cat /proc/sys/kernel/random/boot_id")).toBe(boot)
    expect(await ok("pgrep -x firecracker", { root: true })).toBe(pid)
    await eventually("banger vm show before --json | jq -e '.vm.state == \"running\"'")
  })

  it("takes part in doctor", async () => {
    expect(await ok("banger doctor")).toMatch(/mailbox/)
  })

  it("takes part in create and start: a guest without a network leaves a message", async () => {
    await ok("banger vm create --name box --image plain --memory 192 --no-nat")
    await say("box", "the long build is done")
    expect(await ok(`cat ${await mailbox("box")}`)).toMatch(/ the long build is done$/)
  })

  it("takes part in adoption: the next daemon listens again", async () => {
    await ok("systemctl kill --signal=KILL bangerd", { root: true })
    await eventually("banger vm show box --json | jq -e '.vm.state == \"running\"'")
    await eventually("banger vm exec box -- leave-message 'still here'")
    expect(await ok(`tail -1 ${await mailbox("box")}`)).toMatch(/ still here$/)
  })

  it("stays as long as a VM has a part of it that no other daemon could remove", async () => {
    const { status, stderr } = await sh("cd ~/banger && sudo ./bin/banger system install --owner owner")
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/the daemon to be installed could not undo what VMs have: (before|box): mailbox/)
    expect(await ok("banger doctor")).toMatch(/mailbox/)
  })

  it("takes part in stop and delete: the mailbox outlives the run, and goes with the VM", async () => {
    const file = await mailbox("box")
    await ok("banger vm stop --timeout 180s box")
    expect(await ok(`cat ${file}`)).toMatch(/ the long build is done$/m)
    await ok("banger vm delete --yes --force box before")
    expect((await sh(`ls ${file}`)).status).not.toBe(0)
    expect(await leaks()).toEqual([])
  })

  it("gives way to banger's own at the next install without it", async () => {
    await install()
    expect(await ok("banger doctor")).not.toMatch(/mailbox/)
  })
})

/** `pid` of the VM's Firecracker, which no change of the list may change. */
const pid = (vm: string) => ok(`banger vm show ${vm} --json | jq .pid`)
const running = (vm: string) => eventually(`banger vm show ${vm} --json | jq -e '.vm.state == "running" and .vm.reason == ""'`)
/** Whether the guest has an answer of a web server beyond the host: 0, or wget's own status. */
const getsOut = async (vm: string) => (await sh(`banger vm exec ${vm} -- timeout 10 bash -c 'exec 3<>/dev/tcp/${WORLD}/80'`)).status === 0

describe.runIf(ALL)("a list of capabilities that changes on a host with VMs", () => {
  it("without nat: VMs run on, what they had is undone, and no packet of the next one in the slot gets out", async () => {
    await world()
    await bundled("test/e2e/daemons/closed.ts", "bangerd-closed.mjs")
    await ok("banger vm create --name a --image plain --memory 192")
    expect(await getsOut("a")).toBe(true)
    const [before, slot] = [await pid("a"), await ok("banger vm show a --json | jq -r .vm.address")]
    await install("bangerd-closed.mjs")
    await running("a")
    expect(await pid("a")).toBe(before)
    expect(await leaks()).toEqual([])
    await ok("banger vm delete --yes --force a")
    expect(await ok("nft list set ip banger nat", { root: true })).not.toContain(slot)
    // What a daemon that was killed, or an older one, may have left of another VM's.
    await ok(`nft add element ip banger nat '{ ${slot} }'`, { root: true })
    await ok("banger vm create --name b --image plain --memory 192 --no-nat")
    expect(await ok("banger vm show b --json | jq -r .vm.address")).toBe(slot)
    expect(await getsOut("b")).toBe(false)
    expect(await leaks()).toEqual([])
    await ok(`nft add element ip banger nat '{ ${slot} }'`, { root: true })
    expect(JSON.parse((await sh("banger doctor --leaks --json")).stdout)).toEqual([`nat rule of ${slot}`])
    await ok(`nft delete element ip banger nat '{ ${slot} }'`, { root: true })
  })

  it("with a new capability that holds something: VMs run on, and have it", async () => {
    await bundled("test/e2e/daemons/holding.ts", "bangerd-holding.mjs")
    const before = await pid("b")
    await install("bangerd-holding.mjs")
    await running("b")
    expect(await pid("b")).toBe(before)
    await eventually("ls /var/lib/banger/daemon/vms/*/marker")
    expect(await getsOut("b")).toBe(false)
    await ok("banger vm delete --yes --force b")
    expect(await leaks()).toEqual([])
    // A root helper of one's own: banger's, which is a file as any other.
    await ok("cp ~/banger/lib/bangerd-root.mjs . && echo '// mine' >>bangerd-root.mjs && cd ~/banger && sudo ./bin/banger system install --owner owner --helper ~/bangerd-root.mjs && tail -n 1 /usr/local/lib/banger/current/lib/bangerd-root.mjs | grep -x '// mine' && banger doctor")
    await install()
  })
})
