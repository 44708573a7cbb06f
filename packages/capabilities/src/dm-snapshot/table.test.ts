import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { cowBytes, lostDevices, markedLost, snapshotTable } from "./table.ts"

describe("dm table", () => {
  it("covers the whole origin in sectors", () => {
    assert.strictEqual(snapshotTable(1 << 20, "/dev/loop0", "/dev/loop1"), "0 2048 snapshot /dev/loop0 /dev/loop1 P 8")
  })

  it("knows a snapshot that is lost, by its status and by its file", () => {
    assert.deepStrictEqual(lostDevices([
      "banger-00000000000000a1: 0 4194304 snapshot 16/8192 16",
      "banger-00000000000000a2: 0 4194304 snapshot Invalid",
      "other: 0 4194304 snapshot Overflow"
    ].join("\n")), ["banger-00000000000000a2", "other"])
    assert.deepStrictEqual(lostDevices("No devices found\n"), [])
    const header = (valid: number) => Buffer.from(Uint32Array.of(0x70416e53, valid).buffer)
    assert.deepStrictEqual([header(1), header(0), Buffer.alloc(8)].map(markedLost), [false, true, false])
  })

  it("a COW file holds the whole origin rewritten, with its exception tables", () => {
    FastCheck.assert(FastCheck.property(FastCheck.integer({ min: 1, max: 2 ** 42 }), (origin) => {
      const chunks = Math.ceil(origin / 4096)
      // Header chunk, data, and a metadata chunk for each 256 exceptions (16 bytes each).
      const needed = (1 + chunks + Math.ceil(chunks / 256)) * 4096
      assert.isAtLeast(cowBytes(origin), needed)
      assert.strictEqual(cowBytes(origin) % (1 << 20), 0)
    }))
  })
})
