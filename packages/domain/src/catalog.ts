import * as Schema from "effect/Schema"
import { ImageFiles, KernelFiles } from "./vm.ts"
import { KernelName } from "./ids.ts"

/** Where an image came from: what was asked for, and the digest of the manifest that answered. */
export const ImageSource = Schema.Struct({ reference: Schema.String, digest: Schema.String })
export type ImageSource = typeof ImageSource.Type

/** How the image's maker wants it to be run. Text of a stranger: nothing of it is run on the host. */
export const RunConfig = Schema.Struct({
  env: Schema.Array(Schema.String),
  entrypoint: Schema.Array(Schema.String),
  cmd: Schema.Array(Schema.String),
  workdir: Schema.String,
  user: Schema.String
})
export type RunConfig = typeof RunConfig.Type

/** Absent in the records of earlier versions. */
const orNull = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(Schema.NullOr(schema), { default: () => null })

/** What an image that was made of a container image has beyond its files. */
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
