/** VMs at once, and daemon and helper killed under them (spec 2.11, 2.12). */
import { beforeAll, describe, expect, it } from "vitest"
import { ALL, bootId, eventually, firecrackers, leaks, ok, reset } from "../host.ts"

/** Each takes an emulated processor half a minute to boot. */
const NAMES = ["one", "two", "three", "four", "five"]
const bootIds = () => Promise.all(NAMES.map(bootId))

describe.runIf(ALL)("many VMs", () => {
  beforeAll(() => reset())

  it("start at once", async () => {
    await ok(NAMES.map((name) => `banger vm create --name ${name} --image plain --memory 192 ${name === "one" ? "--disk-size 6G --vcpu 2 " : ""}& pids="$pids $!"`).join("\n") + "\nfor pid in $pids; do wait $pid || exit 1; done")
    expect(JSON.parse(await ok("banger vm list --json")).map(({ name, state, vcpu }: { name: string; state: string; vcpu: number }) => `${name} ${state} ${vcpu}`).toSorted()).toEqual(NAMES.map((name) => `${name} running ${name === "one" ? 2 : 1}`).toSorted())
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

  it("stop, start, restart and are killed all at once, each told of", async () => {
    expect((await ok("banger vm stop --all --json --timeout 300s | jq -r 'select(._tag == \"Finished\").vm.state'")).split("\n")).toEqual(NAMES.map(() => "stopped"))
    await ok("banger vm start --all")
    expect((await ok("banger vm restart --all --json --timeout 300s | jq -r 'select(._tag == \"Finished\").vm.name'")).split("\n").toSorted()).toEqual(NAMES.toSorted())
    expect((await ok("banger vm kill --all")).split("\n").toSorted()).toEqual(NAMES.map((name) => `${name}: sent SIGKILL`).toSorted())
    await eventually(`banger vm list --all --json | jq -e 'map(select(.state == "crashed")) | length == ${NAMES.length}'`)
  })

  it("are created as fast as the bench says", async () => {
    const { image, runs: [run] } = JSON.parse(await ok("banger bench create --runs 1 --image plain --kernel debian-6.1 --vcpu 1 --memory 192 --disk-size 4G --no-nat --json"))
    expect([image, run.ssh_ready_ms]).toEqual(["plain", null])
    expect(Math.min(run.create_ms, run.delete_ms)).toBeGreaterThan(0)
    expect(await ok("banger bench create --runs 1 --image plain --memory 192 --nat")).toMatch(/^RUN +CREATE +SSH READY +DELETE\n1 /)
  })

  it("are gone without a trace", async () => {
    await ok("banger vm delete --all --yes --force")
    expect(await ok("banger vm list --all -q")).toBe("")
    expect(await leaks()).toEqual([])
    expect(await ok("pgrep -c firecracker || true", { root: true })).toBe("0")
    const unused = "banger df --json | jq '[.usages[] | select(.removable and (.name | startswith(\"empty work disks\")))] | length'"
    await eventually(`test "$(${unused})" = 1`)
    expect(await ok("banger prune --dry-run")).toMatch(/^empty work disks.*\n\S+ \S+ would be freed$/)
    expect(JSON.parse(await ok("banger prune --json"))).toHaveLength(1)
    await eventually(`test "$(${unused})" = 0`)
  })
})
