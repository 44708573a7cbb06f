import { homedir } from "node:os"
import { bangerd, serve } from "@banger/daemon/bangerd.ts"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Mailboxes from "./mailbox/listener.ts"
import { pipeline } from "./pipeline.ts"

process.on("SIGHUP", () => {})

const settings = {
  config: `${homedir()}/.config/banger/config.toml`,
  publicKey: `${homedir()}/.local/state/banger/ssh/id_ed25519.pub`
}

serve(bangerd(pipeline, settings, Mailboxes.layer())).pipe(
  Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.jsonLogger))),
  NodeRuntime.runMain({ disablePrettyLogger: true })
)
