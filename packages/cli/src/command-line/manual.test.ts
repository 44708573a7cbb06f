import { spawnSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { SHARED } from "../../../root-helper/src/install/shared.ts"
import { manual } from "./manual.ts"
import { TREE } from "./tree.ts"

const hasGroff = spawnSync("groff", ["--version"]).status === 0
const rendered = (page: string) => {
  const { stderr, stdout } = spawnSync("groff", ["-ww", "-t", "-man", "-Tutf8", "-P-cbou", "-rLL=400n"], { input: page, encoding: "utf8" })
  return { text: stdout.replaceAll(/\s+/g, " "), warnings: stderr }
}

describe("the manual", () => {
  it("has the pages that an install puts in place", () =>
    assert.deepStrictEqual([...manual("1").keys()].map((name) => `man/man1/${name}`), SHARED.map(({ from }) => from).filter((from) => from.startsWith("man/"))))

  it.skipIf(!hasGroff)("has every command and every flag, and no fault that groff warns of (skipped where groff is not installed)", () => {
    const pages = new Map([...manual("0.1.0")].map(([name, page]) => [name, rendered(page)]))
    for (const [name, { warnings }] of pages) assert.strictEqual(warnings, "", name)
    const whole = pages.get("banger.1")?.text ?? ""
    for (const [path, { command, summary }] of TREE) {
      const [group, second] = path.split(" ")
      const { text } = pages.get(second === undefined ? "banger.1" : `banger-${group}.1`) ?? { text: "" }
      assert.include(whole, `banger ${path} `)
      for (const what of [command.usage, summary, ...command.flags.flatMap(({ names }) => names.map((name) => `--${name}`))]) assert.include(text, what, path)
    }
  })
})
