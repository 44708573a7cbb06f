import * as Schema from "effect/Schema"
import { orNull, RunConfig } from "./run-config.ts"
import { ImageFiles, KernelFiles } from "./vm.ts"
import { KernelName } from "./ids.ts"

/** Where an image came from. */
export const ImageSource = Schema.Struct({
  /** What was asked for, as the user calls it. */
  reference: Schema.String,
  /** Of the manifest that answered, or of everything that went into a build: the same digest is the same image. Empty of a file. */
  digest: Schema.String,
  /** The manifest of the container image that a recipe's build began with: its tag is pinned to it. */
  base: orNull(Schema.String)
})
export type ImageSource = typeof ImageSource.Type

/** What an image that was made of a container image, or by a build, has beyond its files. */
export const origin = { source: orNull(ImageSource), run: orNull(RunConfig) }

/** A root file system that VMs can be made of. A name registered again becomes a new generation. */
export class Image extends Schema.Class<Image>("Image")({
  files: ImageFiles,
  kernel: Schema.NullOr(KernelName),
  rootfsBytes: Schema.Number,
  createdAt: Schema.Number,
  ...origin,
  /** Names of the VMs made of this generation. */
  usedBy: Schema.Array(Schema.String)
}) {}

export class Kernel extends Schema.Class<Kernel>("Kernel")({
  files: KernelFiles,
  createdAt: Schema.Number,
  usedBy: Schema.Array(Schema.String)
}) {}
