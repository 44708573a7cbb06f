import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { about } from "@banger/domain/about.ts"
import { array, lines, one, text } from "./json.ts"
import { jsonDoc } from "./json-doc.ts"
import { shapesOf } from "./json-fields.ts"
import { jsonHelp } from "./json-help.ts"
import { TREE } from "./tree.ts"

const Disk = Schema.Struct({ path: Schema.String.pipe(about("where it is")), bytes: Schema.NullOr(Schema.Int) })
const Event = Schema.Union(Schema.TaggedStruct("Begun", { disks: Schema.Array(Disk) }), Schema.TaggedStruct("Ended", {}))

describe("what --json prints", () => {
  it("is laid out by itself, and a line of several", () => {
    assert.strictEqual(text(one("disk", Disk), { path: "/a", bytes: null }), `{\n  "path": "/a",\n  "bytes": null\n}\n`)
    assert.strictEqual(text(array("disk", Disk), []), "[]\n")
    assert.strictEqual(text(lines("event", Event), { _tag: "Ended" }), `{"_tag":"Ended"}\n`)
  })

  it("is known by its schema: types, units, what may be null, each kind of event", () => {
    assert.deepStrictEqual(shapesOf(lines("event", Event)).map(({ fields, tag }) => [tag, fields.map(({ array, name }) => [name, array])]), [["Begun", [["disks", true]]], ["Ended", []]])
    const [path, bytes] = shapesOf(one("disk", Disk))[0]?.fields ?? []
    assert.deepInclude(path, { type: "string", about: "where it is", nullable: false })
    assert.deepInclude(bytes, { type: "integer", about: "", nullable: true })
  })

  it("is told by --help within the width of a terminal", () => {
    assert.deepStrictEqual(jsonHelp([array("disk", Disk, "--disks")]), ["with --disks: an array of", "path, bytes (or null)"])
    for (const [path, { command }] of TREE) for (const line of jsonHelp(command?.json ?? [])) assert.isAtMost(line.length, 78, path)
  })

  it("is declared by every command that has the flag", () => {
    for (const [path, { command }] of TREE) {
      const takes = command?.flags.some(({ names }) => names.includes("json")) ?? false
      assert.strictEqual((command?.json.length ?? 0) > 0, takes, path)
    }
  })

  it("is what docs/json.md says (make docs)", () => {
    assert.strictEqual(readFileSync(new URL("../../../../docs/json.md", import.meta.url), "utf8"), jsonDoc())
  })
})
