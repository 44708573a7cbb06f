import { homedir } from "node:os"
import { bangerd, serve } from "@banger/daemon/bangerd.ts"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Mailboxes from "./mailbox/listener.ts"
import { pipeline } from "./pipeline.ts"

process.on("SIGHUP", () => {})

const settings = { config: `${homedir()}/.config/banger/config.toml` }

serve(bangerd(pipeline, settings, Mailboxes.layer())).pipe(
  NodeRuntime.runMain({ disablePrettyLogger: true })
)
