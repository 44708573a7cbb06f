import * as fs from "node:fs"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { decodeHostConfig, type HostConfig } from "@banger/domain/host-config.ts"
import { Cidr } from "@banger/domain/network.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { withCommands } from "../testing/commands.ts"
import { inLines, planOf } from "./host-file.ts"

const cidr = (text: string) => Cidr.make(text)

describe("root's file", () => {
  it.effect("that is not there yet begins with what there is to say", () => Effect.gen(function*() {
    const plan = yield* planOf(undefined, {})
    assert.deepStrictEqual([plan.changes, plan.toWrite], [[], true])
    assert.match(plan.text, /^# What root goes by\.[^]*# \[storage\]\n# reserve = "2G"\n$/)
    assert.deepStrictEqual(yield* decodeHostConfig(plan.text), {})
    const wished = yield* planOf(undefined, { network: { lan: true }, storage: { reserve: 4096 } })
    assert.deepStrictEqual(yield* decodeHostConfig(wished.text), { network: { lan: true }, storage: { reserve: 4096 } })
    assert.isTrue(wished.text.startsWith(plan.text))
  }))

  it.effect("has afterwards what is wished and, word for word, what was there; a second time nothing is to be written", () => Effect.gen(function*() {
    const text = '# the VPN has 172.16.0.0/24\n[network]\ncidr = "10.9.0.0/24" # ours\nlan = true\n'
    const wish: HostConfig = { network: { lan: false, vm_to_vm: true } }
    const plan = yield* planOf(text, wish)
    assert.strictEqual(inLines(plan), "  network.vm_to_vm: false -> true\n  network.lan: true -> false")
    assert.strictEqual(plan.text, '# the VPN has 172.16.0.0/24\n[network]\nvm_to_vm = true\ncidr = "10.9.0.0/24" # ours\nlan = false\n')
    assert.deepInclude(yield* planOf(plan.text, wish), { changes: [], toWrite: false, text: plan.text })
  }))

  it.effect("that is wrong, or written so that its values cannot be changed, is left to whoever wrote it", () => Effect.gen(function*() {
    assert.match((yield* Effect.flip(planOf("[network]\nlann = true\n", {}))).message, /host\.toml: line 2: network\.lann: there is no such key; did you mean lan\?/)
    const refused = yield* Effect.flip(planOf('network = { lan = true }\n', { network: { lan: false } }))
    assert.match(refused.message, /in a form in which network\.lan cannot be changed/)
    assert.match(refused.hint, /a line of its own/)
    // Nothing of it is to change.
    assert.deepInclude(yield* planOf('network = { lan = true }\n', { network: { lan: true } }), { changes: [], toWrite: false })
  }))
})

describe("a wish", () => {
  /** What is said to a plan on a host with such units and such an address. */
  const judged = (text: string, wish: HostConfig, { address = "192.0.2.1", units = "" }: { readonly address?: string; readonly units?: string } = {}) =>
    Effect.promise(() => withCommands(() => (argv) =>
      Effect.succeed(argv[0] === "systemctl" ? units : JSON.stringify(argv.includes("address")
        ? [{ ifname: "lan0", addr_info: [{ family: "inet", local: address, prefixlen: 24 }] }]
        : [])), () => null, () => import("./host-file.ts"))).pipe(
      Effect.flatMap(({ planOf, refuseUnfit }) => Effect.flatMap(planOf(text, wish), (plan) => refuseUnfit(plan, "sudo banger system apply"))),
      Effect.match({ onSuccess: () => "fits", onFailure: (error) => `${error.message}\n${"hint" in error ? error.hint : ""}` })
    )
  const vms = "banger-vm@0123456789abcdef.service loaded active running banger VM\nbanger-vm@fedcba9876543210.service loaded active running banger VM\n"

  it.effect("for another network waits until no VM runs, and takes none that the host has; one that has come to count long ago is not asked about", () => Effect.gen(function*() {
    const wish: HostConfig = { network: { cidr: cidr("10.9.0.0/24") } }
    assert.strictEqual(yield* judged("", wish), "fits")
    assert.strictEqual(yield* judged("", wish, { units: vms }), "network.cidr changes only while no VM runs, and 2 do\nbanger vm stop --all first")
    assert.match(yield* judged("", wish, { address: "10.9.0.7" }), /^10\.9\.0\.0\/24, the network of VMs, is in use: lan0 has 10\.9\.0\.7\/24\nwrite .* into ~\/\.config\/banger\/config\.toml, then sudo banger system apply$/)
    assert.match(yield* judged("", wish, { address: "10.9.0.7", units: vms }), /and 2 do; 10\.9\.0\.0\/24.*\nbanger vm stop --all first; write/)
    assert.strictEqual(yield* judged('[network]\ncidr = "10.9.0.0/24"', wish, { address: "10.9.0.7", units: vms }), "fits")
  }))

  it.effect("for what running VMs notice nothing of fits at any time", () => Effect.gen(function*() {
    assert.strictEqual(yield* judged("", { network: { lan: true, vm_to_vm: true, host_users: true } }, { units: vms }), "fits")
  }))

  it.effect("for a reserve that is not free is refused, unless there was as little room before", () => Effect.gen(function*() {
    const huge = 1024 ** 2
    const { bavail, bsize } = fs.statfsSync("/var/lib")
    // Of a disk with a tebibyte free nothing can be said.
    if (bavail * bsize > huge * 2 ** 20) return
    assert.match(yield* judged("", { storage: { reserve: huge } }), /^storage\.reserve is 1 TiB, and .* are free where VMs lie: no VM could run\n/)
    assert.strictEqual(yield* judged('[storage]\nreserve = "1T"', { storage: { reserve: huge - 1 } }), "fits")
  }))

  it.effect("for a Firecracker is refused where that is missing, out of sight, or anybody else's to change", () => Effect.scoped(Effect.gen(function*() {
    assert.match(yield* judged("", { firecracker_bin: "/opt/nothing/firecracker" }), /^firecracker_bin \/opt\/nothing\/firecracker: firecracker is missing or does not run\nput firecracker and jailer of a release of Firecracker into \/opt\/nothing, then/)
    assert.match(yield* judged("", { firecracker_bin: "/home/ada/firecracker" }), /^firecracker_bin \/home\/ada\/firecracker: \/home\/ada\/firecracker is out of sight/)
    const directory = yield* temporary
    fs.writeFileSync(`${directory}/firecracker`, "", { mode: 0o755 })
    fs.chmodSync(directory, 0o777)
    if (!directory.startsWith("/tmp/")) return assert.match(yield* judged("", { firecracker_bin: `${directory}/firecracker` }), /others than root can change/)
    assert.match(yield* judged("", { firecracker_bin: `${directory}/firecracker` }), /out of sight/)
  })))
})
