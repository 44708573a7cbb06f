import { homedir } from "node:os"
import { pipeline } from "@banger/capabilities/pipeline.ts"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { bangerd, serve } from "./bangerd.ts"

// A closed terminal is no reason to end: runMain would, at once and without finalizers.
process.on("SIGHUP", () => {})

serve(bangerd(pipeline, { config: `${homedir()}/.config/banger/config.toml` })).pipe(
  NodeRuntime.runMain({ disablePrettyLogger: true })
)
