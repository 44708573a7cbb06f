import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { hostTests } from "../../../../test/host-tests.ts"
import { NOT_RUN, testedDoc, testOf, typeable } from "./tested-doc.ts"

const tests = hostTests()
const found = testOf(tests)

describe("the tests of the host VM", () => {
  it("run every command, every flag and every short form, but for what is said with its reason", () =>
    assert.deepStrictEqual(typeable().filter((what) => !found.has(what) && !NOT_RUN.has(what)), []))

  it("run nothing of which a reason says that they cannot", () =>
    assert.deepStrictEqual([...NOT_RUN.keys()].filter((what) => found.has(what) || !typeable().includes(what)), []))

  it("are what docs/tested.md says (make docs)", () =>
    assert.strictEqual(readFileSync(new URL("../../../../docs/tested.md", import.meta.url), "utf8"), testedDoc(tests)))
})
