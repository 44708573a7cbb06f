import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"

/** A directory that goes with the scope. */
export const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "banger-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
)
