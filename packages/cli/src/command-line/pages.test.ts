import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { decodeToml } from "@banger/domain/config-file.ts"
import { UserConfig } from "@banger/domain/config.ts"
import { HostConfig } from "@banger/domain/host-config.ts"
import { GUIDES, missing, page, pages, stepOf } from "../../../../test/pages.ts"
import { HELP, NO_PAGER, ownWords } from "./everywhere.ts"
import { find } from "./find.ts"
import { commandsIn } from "./mentions.ts"
import { EXAMPLES, GROUPS, TREE } from "./tree.ts"

/** What stands for something of the reader's in a page, where any small word would not do. */
const STANDS_FOR: Readonly<Record<string, string>> = { N: "2", MIB: "512", SIZE: "16G", TIME: "10m", MODE: "auto", SIG: "TERM", "CMD...": "make" }

/** The words as somebody would type them: placeholders filled in, brackets of what may be left out gone. */
const typed = (words: ReadonlyArray<string>): ReadonlyArray<string> =>
  words.map((word) => word.replaceAll(/^\[|\]$/g, "")).map((word) => STANDS_FOR[word] ?? word.replaceAll(/\$\(.*\)|\$\w+|\b[A-Z][A-Z]+\b/g, (found) => found.startsWith("$") ? "some" : found.toLowerCase()))

/** What is wrong with the words after `banger`. In a text a command may be named without its arguments. */
const wrongWith = (given: ReadonlyArray<string>, whole: boolean): string | undefined => {
  const [first, ...others] = given
  if (first === undefined || !/^[a-z]|^--|^COMMAND$/.test(first) || first === "--version") return undefined
  const words = typed(given).filter((word) => word !== NO_PAGER.name)
  const [own] = ownWords(words)
  const asksForHelp = own.includes(HELP.name)
  if (asksForHelp && (first === "COMMAND" || first === HELP.name || GROUPS.has(first) && others[0] === HELP.name)) return undefined
  const found = find(words)
  if (found === undefined) return `there is no command ${given.join(" ")}`
  if (asksForHelp) return undefined
  const read = Effect.runSync(Effect.either(found.entry.command.read(found.args)))
  return Either.isRight(read) || (!whole && /is missing$|needs a value/.test(read.left.message)) ? undefined : `banger ${given.join(" ")}: ${read.left.message}`
}

/** Where a command begins in a page, rather than banger's name: at the beginning of a line, or behind what may stand before a command. */
const COMMAND = /(?:^|[;&|(]|\b(?:sudo|do|then|until|while)|[A-Z_]+=\S+)[ \t]*(?:\.\/build\/bin\/)?banger /m

/** What a block tells to type: all of it, or the lines with a prompt. */
const typedIn = (block: string): string => /^\$ /m.test(block) ? block.split("\n").filter((line) => line.startsWith("$ ")).map((line) => line.slice(2)).join("\n") : block

/** A command in a text, with or without banger's name. */
const named = (span: string): string => [...GROUPS.keys()].includes(span.split(" ")[0] ?? "") && /^\w+ [a-z]/.test(span) ? `banger ${span}` : span

/** What is shown because it is wrong, or not typed to its end. */
const ON_PURPOSE: ReadonlyArray<string> = [
  "there is no command vm st", "there is no command vm bogus", "banger vm run --hist: unknown flag --hist", "banger vm run --imge plain: unknown flag --imge", "banger vm show --jsn box: unknown flag --jsn", "banger vm run --rm --image plain --mem: unknown flag --mem"
]

/** Of these the blocks count alone: one quotes what banger says, hints with words behind the command among it; the other has what is not there yet. */
const NOT_TO_TYPE: ReadonlyArray<string> = ["docs/faults.md", "docs/roadmap.md"]

describe("the documentation", () => {
  it("has configurations that banger takes, of the user or of the host", () => {
    const found = pages().flatMap(({ blocks }) => blocks.filter(({ kind }) => kind === "toml"))
    assert.isAbove(found.length, 2)
    for (const { at, text } of found) {
      const taken = [Effect.asVoid(decodeToml(UserConfig, text)), Effect.asVoid(decodeToml(HostConfig, text))].map((decoded) => Effect.runSync(Effect.either(decoded)))
      assert.isTrue(taken.some(Either.isRight), `${at}: ${taken.map(String).join("; ")}`)
    }
  })

  it("has commands that banger has, with flags and arguments that they take", () => {
    const wrong = pages().flatMap(({ blocks, name, spans }) => [
      ...blocks.flatMap(({ at, text }) => COMMAND.test(typedIn(text)) ? commandsIn(typedIn(text)).map((words) => [at, wrongWith(words, true)] as const) : []),
      ...(NOT_TO_TYPE.includes(name) ? [] : spans).flatMap(({ at, text }) => COMMAND.test(named(text)) ? commandsIn(named(text)).map((words) => [at, wrongWith(words, false)] as const) : [])
    ]).flatMap(([at, problem]) => problem === undefined || ON_PURPOSE.includes(problem) ? [] : [`${at}: ${problem}`])
    assert.deepStrictEqual(wrong, [])
  })

  it("has guides that each tell to type something, and show what comes of it behind a prompt", () => {
    const kinds = new Set(GUIDES.flatMap((guide) => page(guide).blocks.map(({ kind }) => kind)))
    assert.isEmpty([...kinds].filter((kind) => !["", "sh", "sh long", "console", "toml"].includes(kind)))
    for (const guide of GUIDES) {
      const steps = page(guide).blocks.flatMap((block) => stepOf(block) ?? [])
      assert.isNotEmpty(steps, guide)
      for (const { script, shown } of steps) assert.isNotEmpty(shown === undefined ? script : script && shown.join("").replaceAll("...", ""), script)
    }
  })

  it("misses what does not come, or not in the order shown", () => {
    const output = "NAME  STATE    IP\nbox   running  172.16.0.2\n(end)\n"
    for (const shown of [["NAME STATE IP", "box ... 172.16.0.2"], ["...", "box   running  172.16.0.2", "(end)"], ["(e..."], ["NAME ..."]]) assert.deepStrictEqual(missing(shown, output), [])
    for (const [shown, missed] of [[["box ... 172.16.0.2", "NAME STATE IP"], ["NAME STATE IP"]], [["box"], ["box"]], [["box running 172x16.0.2"], ["box running 172x16.0.2"]], [["(end)", "(end)"], ["(end)"]]] as const) {
      assert.deepStrictEqual(missing(shown, output), [...missed])
    }
  })

  it("has such commands in --help, too", () => {
    const examples = [...[...TREE.values()].flatMap(({ command }) => command.examples), ...EXAMPLES]
    const found = examples.flatMap(commandsIn)
    assert.isAtLeast(found.length, examples.length)
    assert.deepStrictEqual(found.flatMap((words) => wrongWith(words, true) ?? []), [])
  })
})
