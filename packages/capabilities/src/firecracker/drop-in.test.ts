import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { VmId } from "@banger/domain/ids.ts"
import { elsewhere } from "../testing/elsewhere.ts"

const { directory, paths: { dropIn, RUN_UNITS }, removeLimits, writeLimits } = await elsewhere(() => import("./drop-in.ts"))
afterAll(() => fs.rmSync(directory, { recursive: true }))

const vms = ["a", "b", "c"].map((digit) => VmId.make(digit.repeat(16)))

describe("the drop-in of a VM's unit", () => {
  it.effect("is where systemd looks for it, of the memory that the VM has now", () => Effect.gen(function*() {
    const [vm = vms[0]!] = vms
    assert.strictEqual(dropIn(vm), `${directory}/run/systemd/system/banger-vm@${vm}.service.d`)
    yield* writeLimits(vm, 256)
    yield* writeLimits(vm, 512)
    assert.match(fs.readFileSync(`${dropIn(vm)}/limits.conf`, "utf8"), /MemorySwapMax=512M/)
    yield* removeLimits(vm)
    yield* removeLimits(vm)
    assert.deepStrictEqual(fs.readdirSync(RUN_UNITS), [])
  }))

  it.effect("gives its directory another time for each VM, however soon after one another", () => Effect.gen(function*() {
    const times = yield* Effect.forEach(vms, (vm) => Effect.map(writeLimits(vm, 256), () => fs.statSync(RUN_UNITS, { bigint: true }).mtimeNs))
    assert.strictEqual(new Set(times).size, vms.length)
  }))
})
