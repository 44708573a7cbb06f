import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { inLines } from "./lines.ts"

const read = (...pieces: ReadonlyArray<string | Buffer>) => {
  const lines: Array<string> = []
  let last = ""
  const take = inLines((more, rest) => Effect.sync(() => {
    lines.push(...more)
    last = rest
  }))
  for (const piece of pieces) Effect.runSync(take(Buffer.from(piece)))
  return [...lines, last]
}

describe("a console on the screen", () => {
  it("is read by lines, the last of which may have no end yet, and characters that come in pieces", () => {
    const bytes = Buffer.from("größe\nlogin: ")
    assert.deepStrictEqual(read(...[...bytes].map((byte) => Buffer.from([byte]))), ["größe", "login: "])
  })

  it("shows what a terminal would: tabs, and what a return has written over", () => {
    assert.deepStrictEqual(read("a\tb\r\n10%\r100%\r\n\x1b[31mred\x1b[0m\n"), ["a       b", "100%", "red", ""])
  })

  it("keeps no endless line", () => {
    const [line = ""] = read("x".repeat(10_000), "y".repeat(10_000), "\n")
    assert.strictEqual(line, "y".repeat(4_096))
  })
})
