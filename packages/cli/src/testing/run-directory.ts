import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"

/** A directory for what files of tests share; the end of the run removes it. */
export default () => {
  const directory = mkdtempSync(`${tmpdir()}/banger-tests-`)
  chmodSync(directory, 0o755)
  process.env["BANGER_TEST_RUN"] = directory
  return () => rmSync(directory, { recursive: true, force: true })
}
