/** banger's own daemon with a capability that holds one object of each run: what 45-custom.test.ts installs over one that has VMs. */
import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import { homedir } from "node:os"
import { holding } from "@banger/capabilities/capability.ts"
import { stage } from "@banger/capabilities/compose.ts"
import { file } from "@banger/capabilities/files.ts"
import { CannotRemove } from "@banger/capabilities/lease.ts"
import { vmFiles } from "@banger/capabilities/paths.ts"
import { pipeline as standard } from "@banger/capabilities/pipeline.ts"
import { bangerd, serve } from "@banger/daemon/bangerd.ts"
import type { VmSpec } from "@banger/domain/vm.ts"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

class Marker extends Context.Tag("test/Marker")<Marker, { readonly path: string }>() {}

const marker = holding({
  name: "marker",
  provides: Marker,
  held: ({ id }: VmSpec) => {
    const path = `${vmFiles(id)}/marker`
    return {
      what: "marker",
      find: Effect.sync(() => existsSync(path) ? Option.some({ path }) : Option.none()),
      create: Effect.as(file(path, () => fs.writeFile(path, "")), { path }),
      remove: Effect.mapError(file(path, () => fs.rm(path, { force: true })), ({ message }) => new CannotRemove({ what: "marker", problem: message }))
    }
  },
  checks: []
})

process.on("SIGHUP", () => {})

serve(bangerd(stage(marker)(standard), { config: `${homedir()}/.config/banger/config.toml` })).pipe(NodeRuntime.runMain)
