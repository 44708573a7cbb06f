import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { escapes } from "./escape.ts"

const type = (chunks: ReadonlyArray<string>) => {
  const typed = escapes()
  const passed: Array<string> = []
  for (const chunk of chunks) {
    const { leave, pass } = typed(Buffer.from(chunk, "latin1"))
    passed.push(pass.toString("latin1"))
    if (leave) return { passed: passed.join(""), left: true }
  }
  return { passed: passed.join(""), left: false }
}

const keys = FastCheck.array(FastCheck.constantFrom("a", "~", ".", "\r", "\n"), { maxLength: 12 })

describe("~.", () => {
  it("leaves at the beginning and after a newline, and nowhere else", () => {
    assert.deepStrictEqual(type(["~."]), { passed: "", left: true })
    assert.deepStrictEqual(type(["ls\r", "~", "."]), { passed: "ls\r", left: true })
    assert.deepStrictEqual(type(["a~.b"]), { passed: "a~.b", left: false })
    assert.deepStrictEqual(type(["~~.", "\n~x~."]), { passed: "~~.\n~x~.", left: false })
  })

  it("is found alike however the keys arrive; all else is passed on", () =>
    FastCheck.assert(FastCheck.property(keys, (pressed) => {
      const text = pressed.join("")
      const at = /(^|[\r\n])~\./.exec(text)
      const whole = type([text])
      assert.deepStrictEqual(type(pressed), whole)
      assert.strictEqual(whole.left, at !== null)
      const expected = at === null ? text : text.slice(0, at.index + (at[1] ?? "").length)
      // A tilde that ends the line's beginning still waits.
      assert.isTrue(whole.passed === expected || `${whole.passed}~` === expected)
    })))
})
