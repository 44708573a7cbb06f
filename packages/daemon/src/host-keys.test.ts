import { assert, describe, it } from "@effect/vitest"
import { judge } from "./host-keys.ts"

describe("host keys", () => {
  const lan = { network: { lan: true } }

  it("that are wished and not what root goes by are a warning, with the command that mends it", () => {
    const verdict = judge({ trusted: {}, file: {}, wish: { ...lan, storage: { reserve: 4096 } } })
    assert(verdict._tag === "Warning" && verdict.runs)
    assert.strictEqual(verdict.fix, "sudo banger system apply")
    assert.match(verdict.problem, /network\.lan: false -> true, storage\.reserve: "2G" -> "4G"$/)
  })

  it("that were written by hand count after a restart", () => {
    const verdict = judge({ trusted: {}, file: lan, wish: {} })
    assert(verdict._tag === "Warning" && verdict.runs)
    assert.strictEqual(verdict.fix, "sudo banger system restart")
    assert.strictEqual(judge({ trusted: {}, file: { network: { lan: false } }, wish: {} })._tag, "Ready")
  })

  it("that are the same everywhere, or not wished, are as they must be", () => {
    assert.strictEqual(judge({ trusted: lan, file: lan, wish: lan })._tag, "Ready")
    assert.strictEqual(judge({ trusted: lan, file: lan, wish: {} })._tag, "Ready")
  })
})
