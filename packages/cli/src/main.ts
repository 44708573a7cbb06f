import * as Module from "node:module"

// Before any other module of ours is loaded: it keeps their compiled code.
Module.enableCompileCache()

const argv = process.argv.slice(2)

if (argv[0] === "--version" || argv[0] === "-V") {
  const { VERSION } = await import("@banger/domain/version.ts")
  process.stdout.write(`banger ${VERSION}\n`)
} else {
  const { dispatch } = await import("./dispatch.ts")
  await dispatch(argv)
}
