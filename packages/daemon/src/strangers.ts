import * as fs from "node:fs/promises"
import { file, type FileFailed } from "@banger/capabilities/files.ts"
import { pipeline as standard } from "@banger/capabilities/pipeline.ts"
import { VmId, VmName } from "@banger/domain/ids.ts"
import { FIRST_LIST } from "@banger/domain/vm.ts"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** What is read here of a vm.json, whichever version of banger wrote it. */
const Made = Schema.parseJson(Schema.Struct({
  spec: Schema.Struct({ name: VmName }),
  made: Schema.optionalWith(Schema.Array(Schema.String), { default: () => FIRST_LIST })
}))

/** What a daemon with these capabilities could undo: its own, and banger's, which every daemon carries. */
export const undoable = (names: ReadonlyArray<string>): ReadonlySet<string> => new Set([...names, ...standard.names])

/**
 * Capabilities that made part of a VM and that a daemon with these could not undo, as `VM: capability`. Looks at the records
 * beside the database alone: `system install` asks a daemon that does not run yet, before it takes the place of another.
 */
export const strangers = (directory: string, names: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>, FileFailed> =>
  Effect.gen(function*() {
    const known = undoable(names)
    const ids = (yield* file(directory, () => fs.readdir(directory).catch(() => []))).filter(Schema.is(VmId))
    const records = yield* Effect.forEach(ids, (id) =>
      file(id, () => fs.readFile(`${directory}/${id}/vm.json`, "utf8")).pipe(
        Effect.flatMap(Schema.decode(Made)),
        // No record, or one that no version can read: nothing is known to be made by anybody.
        Effect.option
      ))
    return records.flatMap(Option.toArray).flatMap(({ made, spec }) => made.filter((name) => !known.has(name)).map((name) => `${spec.name}: ${name}`))
  })
