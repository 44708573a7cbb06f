/** VMs at once, and daemon and helper killed under them (spec 2.11, 2.12). */
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, bootId, eventually, firecrackers, leaks, ok, reset } from "../host.ts"

/** Each takes an emulated processor half a minute to boot. */
const NAMES = ["one", "two", "three", "four", "five"]
const bootIds = () => Promise.all(NAMES.map(bootId))

describe.runIf(ALL)("many VMs", () => {
  beforeAll(() => reset())

  it("start at once", async () => {
    await ok(NAMES.map((name) => `banger vm create --name ${name} --image plain --memory 192 ${name === "one" ? "--disk-size 6G " : ""}& pids="$pids $!"`).join("\n") + "\nfor pid in $pids; do wait $pid || exit 1; done")
    expect(JSON.parse(await ok("banger vm list --json")).map(({ state }: { state: string }) => state)).toEqual(NAMES.map(() => "running"))
  })

  it("keep running, and stay usable, while daemon and helper are killed in turn", async () => {
    const [ids, pids] = [await bootIds(), await firecrackers()]
    for (const service of ["bangerd", "bangerd-root", "bangerd"]) {
      await ok(`systemctl kill --signal=KILL ${service}`, { root: true })
      await eventually(`banger vm list --json | jq -e 'map(select(.state == "running")) | length == ${NAMES.length}'`)
    }
    await eventually("! banger vm list --json | jq -e 'map(.reason) | any(. != \"\")'")
    expect(await bootIds()).toEqual(ids)
    expect(await firecrackers()).toBe(pids)
    expect(await ok("dig @127.0.0.1 -p 42069 two.vm +short")).toMatch(/^172\.16\.0\./)
    expect(await leaks()).toEqual([])
  })

  it("are gone without a trace", async () => {
    await ok("banger vm delete --all --yes --force")
    expect(await ok("banger vm list --all -q")).toBe("")
    expect(await leaks()).toEqual([])
    expect(await ok("pgrep -c firecracker || true", { root: true })).toBe("0")
    const unused = "banger df --json | jq '[.usages[] | select(.removable and (.name | startswith(\"empty work disks\")))] | length'"
    await eventually(`test "$(${unused})" = 1`)
    await ok("banger prune")
    await eventually(`test "$(${unused})" = 0`)
  })
})
