import { assert, describe, it } from "@effect/vitest"
import { rowCounter } from "./screen.ts"
import { layout } from "./table.ts"
import { transferText } from "./transfer.ts"
import { ago } from "./units.ts"
import { fit, padded, plain, widthOf } from "./width.ts"

describe("text", () => {
  it("is as wide as a terminal shows it", () => {
    assert.deepStrictEqual(["", "abc", "é", "e\u0301", "日本語", "한글", "🙂", "ａ"].map(widthOf), [0, 3, 1, 1, 6, 4, 2, 2])
    assert.strictEqual(padded("日本", 6), "日本  ")
  })

  it("that is too long is cut by columns, and never longer for the mark", () => {
    assert.strictEqual(fit("sandbox", 7, "…"), "sandbox")
    assert.strictEqual(fit("sandboxes", 7, "…"), "sandbo…")
    assert.strictEqual(fit("日本語", 5, "…"), "日本…")
    assert.strictEqual(fit("日本語", 4, "…"), "日…")
    for (let columns = 0; columns < 9; columns++) for (const mark of ["…", "..."]) assert.isAtMost(widthOf(fit("日本語 sandbox", columns, mark)), columns)
  })

  it("is nothing that a terminal obeys", () => {
    assert.strictEqual(plain("a\x1b]0;t\x07\x9b2J\r\n\u202eb日"), "a?]0;t??2J???b日")
  })

  it("takes the rows that its lines fold into, colours not counted", () => {
    const rows = rowCounter(10)
    assert.strictEqual(rows("\x1b[31mfour\x1b[0m\n\n"), 2)
    assert.strictEqual(rows("x".repeat(11)), 4)
    assert.strictEqual(rows("x".repeat(10)), 5)
    assert.strictEqual(rows("\n"), 5)
  })
})

describe("a table", () => {
  const table = { heading: ["NAME", "STATE", "IMAGE"], rows: [["a-rather-long-name", "crashed (signal 9)", "debian-bookworm"], ["日本", "running", "alpine"]], cut: ["IMAGE", "STATE"] }

  it("is as wide as it is where there is no terminal", () => {
    assert.strictEqual(layout(table, undefined, "…").split("\n")[1], "a-rather-long-name  crashed (signal 9)  debian-bookworm")
    assert.strictEqual(layout(table, undefined, "…").split("\n")[2], `日本${" ".repeat(16)}running${" ".repeat(13)}alpine`)
  })

  it("is cut from the least important column on, and then left out; a name is whole", () => {
    assert.strictEqual(layout(table, 50, "…").split("\n")[1], "a-rather-long-name  crashed (signal 9)  debian-bo…")
    assert.strictEqual(layout(table, 40, "...").split("\n")[1], "a-rather-long-name  crashed (...  deb...")
    assert.strictEqual(layout(table, 30, "…").split("\n")[1], "a-rather-long-name  crashed (…")
    assert.strictEqual(layout(table, 5, "…").split("\n")[1], "a-rather-long-name")
    for (let columns = 18; columns < 60; columns++) for (const line of layout(table, columns, "…").split("\n")) assert.isAtMost(widthOf(line), columns)
  })
})

describe("a transfer", () => {
  it("tells bytes, and the rate and what is left once they can be told", () => {
    assert.strictEqual(transferText({ done: 0, total: 0, before: 0, ms: 0 }), "0 B")
    assert.strictEqual(transferText({ done: 2 << 20, total: 8 << 20, before: 0, ms: 100 }), "2 MiB of 8 MiB")
    assert.strictEqual(transferText({ done: 2 << 20, total: 8 << 20, before: 0, ms: 1_000 }), "2 MiB of 8 MiB, 2 MiB/s, 3s left")
    assert.strictEqual(transferText({ done: 6 << 20, total: 8 << 20, before: 5 << 20, ms: 1_000 }), "6 MiB of 8 MiB, 1 MiB/s, 2s left")
    assert.strictEqual(transferText({ done: 8 << 20, total: 8 << 20, before: 0, ms: 1_000 }), "8 MiB of 8 MiB, 8 MiB/s")
    assert.strictEqual(transferText({ done: 1, total: 8, before: 1, ms: 60_000 }), "1 B of 8 B")
  })
})

it("a time is so long ago", () => {
  assert.deepStrictEqual([-5, 0, 1_000, 59_999, 180_000, 3_600_000, 86_400_000 * 45, 86_400_000 * 800].map(ago),
    ["just now", "just now", "1 second ago", "59 seconds ago", "3 minutes ago", "1 hour ago", "1 month ago", "2 years ago"])
})
