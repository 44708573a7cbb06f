import * as Schema from "effect/Schema"
import { about } from "./about.ts"
import { Instant } from "./instant.ts"
import { orNull, RunConfig } from "./run-config.ts"
import { ImageFiles, KernelFiles } from "./vm.ts"
import { KernelName } from "./ids.ts"

/** Where an image came from. */
export const ImageSource = Schema.Struct({
  reference: Schema.String.pipe(about("what was asked for, as the user calls it")),
  digest: Schema.String.pipe(about("of the manifest, or of all that went into a build; empty of a file")),
  base: orNull(Schema.String.pipe(about("digest of the container image that a recipe's build began with"))),
  edition: Schema.optionalWith(Schema.Number.pipe(about("of the work that made the image: a pull of the same source by a version with another one makes it anew")), { default: () => 0 })
})
export type ImageSource = typeof ImageSource.Type

/** What an image that was made of a container image, or by a build, has beyond its files. */
export const origin = { source: orNull(ImageSource), run: orNull(RunConfig) }

/** A root file system that VMs can be made of. A name registered again becomes a new generation. */
export class Image extends Schema.Class<Image>("Image")({
  files: ImageFiles,
  kernel: Schema.NullOr(KernelName.pipe(about("its name; null: the default one"))),
  rootfsBytes: Schema.Number.pipe(about("size of the root file system")),
  createdAt: Instant,
  ...origin,
  usedBy: Schema.Array(Schema.String).pipe(about("names of the VMs made of this generation"))
}) {}

export class Kernel extends Schema.Class<Kernel>("Kernel")({
  files: KernelFiles,
  createdAt: Instant,
  usedBy: Schema.Array(Schema.String).pipe(about("names of VMs and images"))
}) {}
