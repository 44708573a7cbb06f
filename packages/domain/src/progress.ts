import * as Schema from "effect/Schema"
import { Image } from "./catalog.ts"
import { VmView } from "./vm.ts"

/** What an operation tells its watchers; the CLI renders it and `--json` prints it. */
export const Progress = Schema.Union(
  /** The VM as chosen, before anything was made: the `spec:` line. */
  Schema.TaggedStruct("Planned", { vm: VmView }),
  /** One step of the work is done; `ms` it took. */
  Schema.TaggedStruct("Step", { step: Schema.String, ms: Schema.Number }),
  Schema.TaggedStruct("Note", { message: Schema.String }),
  /** Always the last event of an operation that succeeded. */
  Schema.TaggedStruct("Finished", { vm: VmView, message: Schema.String })
)
export type Progress = typeof Progress.Type

/** What making an image tells its watchers. */
export const ImageProgress = Schema.Union(
  /** `fetch` counts what was downloaded and unpacked, `write` what the file system holds; bytes. */
  Schema.TaggedStruct("Phase", { phase: Schema.Literal("fetch", "write"), done: Schema.Number, total: Schema.Number }),
  /** One phase is done; `ms` it took. */
  Schema.TaggedStruct("Step", { step: Schema.String, ms: Schema.Number }),
  /** A script runs: its output is written to this file of the owner's, from the beginning. */
  Schema.TaggedStruct("Log", { path: Schema.String }),
  /** Always the last event of an operation that succeeded. */
  Schema.TaggedStruct("Made", { image: Image, message: Schema.String })
)
export type ImageProgress = typeof ImageProgress.Type
