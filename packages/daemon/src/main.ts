import { homedir } from "node:os"
import { ownersKey } from "@banger/capabilities/paths.ts"
import { pipeline } from "@banger/capabilities/pipeline.ts"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { bangerd, serve } from "./bangerd.ts"

// A closed terminal is no reason to end: runMain would, at once and without finalizers.
process.on("SIGHUP", () => {})

const settings = {
  config: `${homedir()}/.config/banger/config.toml`,
  publicKey: `${ownersKey(homedir())}.pub`
}

serve(bangerd(pipeline, settings)).pipe(
  Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.jsonLogger))),
  NodeRuntime.runMain({ disablePrettyLogger: true })
)
