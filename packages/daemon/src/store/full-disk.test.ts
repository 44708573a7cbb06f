import { execFile, spawnSync } from "node:child_process"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { temporary } from "@banger/capabilities/testing/temporary.ts"

/** A shell with a file system of 2 MiB at $1 that nobody else sees, and that goes with it. */
const small = (script: string, directory: string) => ["-rm", "sh", "-c", `mount -t tmpfs -o size=2m none "$1" && ${script}`, "sh", directory]

describe("full disk", () => {
  // A host may refuse namespaces to its users.
  const possible = spawnSync("unshare", small("true", "/mnt")).status === 0

  it.live.skipIf(!possible)("a daemon starts on a full disk, adopts VMs, stops and deletes them, and goes on when there is room", () => Effect.scoped(Effect.gen(function*() {
    const program = new URL("full-disk.program.ts", import.meta.url).pathname
    const { stdout } = yield* Effect.flatMap(temporary, (directory) =>
      Effect.promise(() => promisify(execFile)("unshare", small(`exec "$2" "$3" "$1"`, directory).concat(process.execPath, program))))
    assert.deepStrictEqual(JSON.parse(stdout), {
      full: ["one stopped", "three running"],
      later: ["one stopped", "three running"]
    })
  })), 60_000)
})
