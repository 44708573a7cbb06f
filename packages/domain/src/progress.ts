import * as Schema from "effect/Schema"
import { about } from "./about.ts"
import { Image } from "./catalog.ts"
import { VmView } from "./vm.ts"

/** A part of the work; several may be under way at once. Each that begins and does not fail is told as done. */
export const PartProgress = Schema.Union(
  Schema.TaggedStruct("Begun", { step: Schema.String.pipe(about("a part of the work that begins")) }),
  Schema.TaggedStruct("Step", { step: Schema.String.pipe(about("a part of the work that is done")), ms: Schema.Number.pipe(about("milliseconds that it took")) })
)
export type PartProgress = typeof PartProgress.Type

/** What an operation tells its watchers; the CLI renders it and `--json` prints it. */
export const Progress = Schema.Union(
  /** The VM as chosen, before anything was made: the `spec:` line. */
  Schema.TaggedStruct("Planned", { vm: VmView }),
  ...PartProgress.members,
  Schema.TaggedStruct("Note", { message: Schema.String }),
  /** Always the last event of an operation that succeeded. */
  Schema.TaggedStruct("Finished", { vm: VmView, message: Schema.String })
)
export type Progress = typeof Progress.Type

/** What making an image tells its watchers. */
export const ImageProgress = Schema.Union(
  Schema.TaggedStruct("Phase", {
    phase: Schema.Literal("read", "fetch", "write").pipe(about("reads the archive; downloads and unpacks; writes the file system")),
    done: Schema.Number.pipe(about("bytes")),
    total: Schema.Number.pipe(about("bytes"))
  }),
  ...PartProgress.members,
  /** A script runs: its output is written to this file of the owner's, from the beginning. */
  Schema.TaggedStruct("Log", { path: Schema.String.pipe(about("file that a script's output is written to")) }),
  /** Always the last event of an operation that succeeded. */
  Schema.TaggedStruct("Made", { image: Image, message: Schema.String })
)
export type ImageProgress = typeof ImageProgress.Type
