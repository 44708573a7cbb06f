import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { stagesOf } from "./stages.ts"

describe("a script's stages", () => {
  it("begin at marks, and each has what stands before the first", () => {
    assert.deepStrictEqual(stagesOf("#!/bin/bash\nset -e\n# stage: one\necho 1\n# stage: the other \necho 2\n"), [
      { name: "stage one", script: "#!/bin/bash\nset -e\n\necho 1\n" },
      { name: "stage the other", script: "#!/bin/bash\nset -e\n\necho 2\n" }
    ])
  })

  it("are one without marks, and where a mark has no name or is no line", () => {
    for (const script of ["", "echo 1\n", "# stage:\necho 1", "echo '# stage: one'\n"]) assert.deepStrictEqual(stagesOf(script), [{ name: "script", script }])
  })

  it("of the catalog's own recipes run by the program that their first line names", () => {
    const catalog = new URL("../../../../packaging/catalog/", import.meta.url)
    for (const file of readdirSync(catalog).filter((name) => name.endsWith(".sh"))) {
      const stages = stagesOf(readFileSync(new URL(file, catalog), "utf8"))
      assert.isAbove(stages.length, 1, file)
      for (const { script } of stages) assert.isTrue(script.startsWith("#!/bin/bash\n"), file)
    }
  })
})
