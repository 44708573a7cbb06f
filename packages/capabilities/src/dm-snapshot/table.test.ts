import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { cowBytes, snapshotTable } from "./table.ts"

describe("dm table", () => {
  it("covers the whole origin in sectors", () => {
    assert.strictEqual(snapshotTable(1 << 20, "/dev/loop0", "/dev/loop1"), "0 2048 snapshot /dev/loop0 /dev/loop1 P 8")
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
