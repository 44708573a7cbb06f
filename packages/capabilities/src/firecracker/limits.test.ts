import { assert, describe, it } from "@effect/vitest"
import { MemoryMib } from "@banger/domain/vm.ts"
import { limits, memoryMaxMib } from "./limits.ts"

/** MiB of the connections of a guest that fills them all and of Firecracker itself. */
const HOSTILE_MIB = Math.ceil(1023 * (64 + 208) / 1024) + 5

describe("the memory limit of a VM's unit", () => {
  it("is that of its memory, page tables, Firecracker and page cache", () => {
    assert.deepStrictEqual([256, 2048, 8192].map(memoryMaxMib), [256 + 8 + 64 + 256, 2048 + 64 + 64 + 512, 8192 + 256 + 64 + 2048])
  })

  it.prop("is never met by a guest that uses all of its memory and every connection", [MemoryMib], ([memoryMib]) => {
    // The process's page tables, shadow pages of KVM at their most, and its map back.
    const tables = memoryMib * (1 / 512 + 20 / 1000 + 1 / 512)
    assert.isAtLeast(memoryMaxMib(memoryMib), memoryMib + tables + HOSTILE_MIB)
  })

  it.prop("leaves page cache enough to go on writing, and is a bound all the same", [MemoryMib], ([memoryMib]) => {
    assert.isAtLeast(memoryMaxMib(memoryMib) - memoryMib * 33 / 32, 256)
    assert.isAtMost(memoryMaxMib(memoryMib), memoryMib * 1.3 + 64 + 256)
  })

  it.prop("grows with the memory", [MemoryMib], ([memoryMib]) => assert.isAbove(memoryMaxMib(memoryMib + 1), memoryMaxMib(memoryMib)))

  it("is written as systemd reads it, and swap takes no more than the guest's memory", () => {
    assert.strictEqual(limits(256), "[Service]\nMemoryMax=584M\nMemorySwapMax=256M\n")
  })
})
