import { run } from "@banger/capabilities/exec.ts"
import { wholly } from "@banger/capabilities/files.ts"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Refused } from "./refused.ts"

const Strangers = Schema.parseJson(Schema.Array(Schema.String))

/** A start of Node on a slow host; the daemon looks at one small file a VM. */
const PATIENCE_MS = 120_000

/**
 * Refuses a daemon that could not undo what the VMs here hold of another one's capabilities. The daemon itself is asked, as
 * its owner, who could run it anyway; what was copied of it goes again.
 */
export const refuseStrangers = (owner: { readonly name: string }) => (directory: string) =>
  run(["runuser", "-u", owner.name, "--", `${directory}/bin/node`, `${directory}/lib/bangerd.mjs`, "strangers"], { timeoutMs: PATIENCE_MS }).pipe(
    Effect.flatMap(Schema.decode(Strangers)),
    Effect.mapError(({ message }) => new Refused({ problem: `lib/bangerd.mjs is no daemon of this version: ${message}`, fix: "node packaging/build-daemon.ts ENTRY OUT.mjs makes a bundle of it" })),
    Effect.filterOrFail(
      (found) => found.length === 0,
      (found) => new Refused({ problem: `the daemon to be installed could not undo what VMs have: ${found.join(", ")}`, fix: "banger vm delete them first, or install a daemon that has these capabilities (--daemon FILE)" })
    ),
    wholly(directory)
  )
