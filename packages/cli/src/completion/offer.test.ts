import { assert, describe, it } from "@effect/vitest"
import { firstWords } from "../command-line/find.ts"
import { GROUPS, SHORT, TREE } from "../command-line/tree.ts"
import { type Offer, offer } from "./offer.ts"

const words = (offered: Offer) => offered._tag === "Choices" ? offered.choices.map(([word]) => word) : []

describe("what may stand at the cursor", () => {
  it("every group has a name, and every short form a command", () => {
    assert.deepStrictEqual([...new Set([...TREE.keys()].flatMap((path) => path.includes(" ") ? [path.split(" ")[0]] : []))].toSorted(), [...GROUPS.keys()].toSorted())
    for (const [word, { command }] of SHORT) assert.isTrue(TREE.has(command.path) && !TREE.has(word), word)
    assert.strictEqual(new Set(firstWords()).size, firstWords().length)
  })

  it("every command and every flag of it is offered", () => {
    for (const [path, { command }] of TREE) {
      for (const [at, word] of path.split(" ").entries()) assert.include(words(offer([...path.split(" ").slice(0, at), ""])), word)
      assert.includeMembers(words(offer([...path.split(" "), "--"])), command.flags.flatMap(({ names }) => names.map((name) => `--${name}`)))
    }
  })

  it.each<[string, Offer]>([
    ["vm stop a ", { _tag: "Values", of: { _tag: "Vms", states: ["running", "paused", "starting"] }, prefix: "", given: ["a"] }],
    ["vm stop --timeout 3s -a b", { _tag: "Values", of: { _tag: "Vms", states: ["running", "paused", "starting"] }, prefix: "", given: [] }],
    ["vm show a ", { _tag: "Choices", choices: [] }],
    ["vm logs -fn ", { _tag: "Choices", choices: [] }],
    ["vm exec --cwd ", { _tag: "Choices", choices: [] }],
    ["vm run --kernel=h", { _tag: "Values", of: { _tag: "Kernels" }, prefix: "--kernel=", given: [] }],
    ["vm kill -s ", { _tag: "Values", of: { _tag: "Words", words: ["KILL", "TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "STOP", "CONT"] }, prefix: "", given: [] }],
    ["image pull ", { _tag: "Values", of: { _tag: "Offers", kind: "image" }, prefix: "", given: [] }],
    ["kernel import --deb a --deb ", { _tag: "Values", of: { _tag: "Files" }, prefix: "", given: [] }],
    ["run ./repo -- ", { _tag: "Command" }],
    ["vm list -- ", { _tag: "Choices", choices: [] }],
    ["nosuch ", { _tag: "Choices", choices: [] }]
  ])("%s", (line, expected) => assert.deepStrictEqual(offer(line.split(" ")), expected))

  it("a flag that was given is not offered again, unless it may be", () => {
    const offered = words(offer(["vm", "run", "--rm", "-e", "A=1", "--"]))
    assert.notInclude(offered, "--rm")
    assert.include(offered, "--env")
  })
})
