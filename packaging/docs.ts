/** Writes what of docs/ is made of the code. */
import * as fs from "node:fs"
import { withTables } from "../packages/cli/src/command-line/config-doc.ts"
import { jsonDoc } from "../packages/cli/src/command-line/json-doc.ts"
import { testedDoc } from "../packages/cli/src/command-line/tested-doc.ts"
import { hostTests } from "../test/host-tests.ts"

const page = (name: string) => new URL(`../docs/${name}`, import.meta.url)

fs.writeFileSync(page("json.md"), jsonDoc())
fs.writeFileSync(page("config.md"), withTables(fs.readFileSync(page("config.md"), "utf8")))
fs.writeFileSync(page("tested.md"), testedDoc(hostTests()))
