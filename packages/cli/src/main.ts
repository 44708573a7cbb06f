import * as Module from "node:module"
import { homedir } from "node:os"

// Before any other module of ours is loaded: it keeps their compiled code. In a directory of the user's own, since
// what lies there runs; and not for root, whose home may be another user's under sudo.
if (process.getuid?.() !== 0) Module.enableCompileCache(`${homedir()}/.cache/banger/compiled`)

const argv = process.argv.slice(2)

if (argv[0] === "--version" || argv[0] === "-V") {
  const { VERSION } = await import("@banger/domain/version.ts")
  process.stdout.write(`banger ${VERSION}\n`)
} else {
  const { dispatch } = await import("./dispatch.ts")
  await dispatch(argv)
}
