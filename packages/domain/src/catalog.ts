import * as Schema from "effect/Schema"
import { ImageFiles, KernelFiles } from "./vm.ts"
import { KernelName } from "./ids.ts"

/** A root file system that VMs can be made of. A name registered again becomes a new generation. */
export class Image extends Schema.Class<Image>("Image")({
  files: ImageFiles,
  kernel: Schema.NullOr(KernelName),
  rootfsBytes: Schema.Number,
  createdAt: Schema.Number,
  /** Names of the VMs made of this generation. */
  usedBy: Schema.Array(Schema.String)
}) {}

export class Kernel extends Schema.Class<Kernel>("Kernel")({
  files: KernelFiles,
  createdAt: Schema.Number,
  usedBy: Schema.Array(Schema.String)
}) {}
