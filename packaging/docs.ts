/** Writes the pages of docs/ that are made of the code. */
import * as fs from "node:fs"
import { jsonDoc } from "../packages/cli/src/command-line/json-doc.ts"

fs.writeFileSync(new URL("../docs/json.md", import.meta.url), jsonDoc())
