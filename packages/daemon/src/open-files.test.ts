import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { assert, it } from "@effect/vitest"
import { openIn } from "./open-files.ts"

it("a file that some process has open is in use, also one further down, and no other", async () => {
  const directory = await fs.mkdtemp(`${tmpdir()}/banger-open-`)
  await fs.mkdir(`${directory}/tree`)
  for (const path of ["left", "copied", "tree/file"]) await fs.writeFile(`${directory}/${path}`, "")
  const open = [await fs.open(`${directory}/copied`, "a"), await fs.open(`${directory}/tree/file`, "a")]
  assert.deepStrictEqual([...await openIn(directory)].toSorted(), [`${directory}/copied`, `${directory}/tree`])
  await Promise.all(open.map((file) => file.close()))
  assert.deepStrictEqual([...await openIn(directory)], [])
  await fs.rm(directory, { recursive: true })
})
