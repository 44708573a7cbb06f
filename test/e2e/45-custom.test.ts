/** The worked example, a daemon with a capability of its own, installed in place of banger's (spec 11). */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { eventually, hostvm, leaks, ok, reset, sh } from "../host.ts"

const install = (flags = "") => ok(`cd ~/banger && sudo ./bin/banger system install --owner owner ${flags}`)
const say = (vm: string, message: string) => ok(`banger vm exec ${vm} -- leave-message '${message}'`)
const mailbox = async (vm: string) => {
  const { id } = JSON.parse(await ok(`banger vm show ${vm} --json`)).vm
  return `/var/lib/banger/daemon/vms/${id}/mailbox`
}

beforeAll(async () => {
  await reset()
  const bundles = fs.mkdtempSync(path.join(os.tmpdir(), "banger-example-"))
  const bundle = path.join(bundles, "bangerd-mailbox.mjs")
  execFileSync("node", ["packaging/build-daemon.ts", "examples/custom-capability/main.ts", bundle], { stdio: "inherit" })
  await hostvm("copy", bundle, "vm:bangerd-mailbox.mjs")
  fs.rmSync(bundles, { recursive: true })
})

describe("a daemon with a mailbox capability", () => {
  it("is installed over banger's own; a VM that runs is adopted", async () => {
    await ok("banger vm create --name before --image plain --memory 192")
    const pid = await ok("pgrep -x firecracker", { root: true })
    const boot = await ok("banger vm exec before -- cat /proc/sys/kernel/random/boot_id")
    await install("--daemon ~/bangerd-mailbox.mjs")
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

  it("takes part in stop and delete: the mailbox outlives the run, and goes with the VM", async () => {
    const file = await mailbox("box")
    await ok("banger vm stop --timeout 180s box")
    expect(await ok(`wc -l < ${file}`)).toBe("2")
    await ok("banger vm delete --yes --force box before")
    expect((await sh(`ls ${file}`)).status).not.toBe(0)
    expect(await leaks()).toEqual([])
  })

  it("gives way to banger's own at the next install without it", async () => {
    await install()
    expect(await ok("banger doctor")).not.toMatch(/mailbox/)
  })
})
