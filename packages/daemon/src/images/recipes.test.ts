import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { CatalogFile } from "@banger/domain/recipe.ts"
import * as Schema from "effect/Schema"
import { interpreter } from "./guest-script.ts"

const directory = new URL("../../../../packaging/catalog/", import.meta.url)
const catalog = Schema.decodeUnknownSync(Schema.parseJson(CatalogFile))(readFileSync(new URL("catalog.json", directory), "utf8"))

describe("banger's own catalog", () => {
  it("has the default image and void, as recipes", () => {
    assert.deepStrictEqual(Object.entries(catalog.images).map(([name, { kind }]) => [name, kind]), [["debian-bookworm", "recipe"], ["void", "recipe"]])
  })

  it("every script uses the variables that its recipe has, and no others", () => {
    for (const [name, entry] of Object.entries(catalog.images)) {
      if (entry.kind === "bundle") continue
      const script = readFileSync(new URL(entry.script, directory), "utf8")
      const used = new Set([...script.matchAll(/\$\{?([A-Z][A-Z0-9_]+)/g)].map(([, variable]) => variable))
      assert.deepStrictEqual([...used].toSorted(), Object.keys(entry.parameters).toSorted(), name)
    }
  })
})

describe("the interpreter of a script", () => {
  it("is what its first line says, as the kernel reads it", () => {
    assert.deepStrictEqual(
      ["#!/bin/bash\necho", "#! /usr/bin/env  bash -e \necho", "#!/bin/sh", "echo", "", "\n#!/bin/bash", "#!\n"].map(interpreter),
      [["/bin/bash"], ["/usr/bin/env", "bash -e"], ["/bin/sh"], ["/bin/sh", "-e"], ["/bin/sh", "-e"], ["/bin/sh", "-e"], ["/bin/sh", "-e"]]
    )
  })
})
