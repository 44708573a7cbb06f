import * as Schema from "effect/Schema"
import { ImageReference } from "./api.ts"
import { Parameters } from "./config.ts"
import { Digest, ImageName } from "./ids.ts"
import { DiskMib } from "./vm.ts"

/** A container image and a script that makes banger's image of it, on the user's own host. */
export const Recipe = Schema.Struct({
  about: Schema.String,
  /** A tag is resolved at the first pull, and the digest kept. */
  from: ImageReference,
  /** The script's file, relative to the catalog's. */
  script: Schema.String,
  /** Of the script, in hex. Required where the catalog is not banger's own. */
  sha256: Schema.optional(Digest),
  sizeMib: DiskMib,
  parameters: Parameters
})
export type Recipe = typeof Recipe.Type

/** What `banger image export --bundle` wrote, put somewhere. */
export const Bundle = Schema.Struct({
  about: Schema.String,
  /** http, https or file; relative to the catalog's. */
  url: Schema.String,
  /** Of the file, in hex. */
  sha256: Digest,
  bytes: Schema.Number
})
export type Bundle = typeof Bundle.Type

/** An image that banger knows how to get. */
export const CatalogEntry = Schema.Union(Schema.Struct({ kind: Schema.Literal("recipe"), ...Recipe.fields }), Schema.Struct({ kind: Schema.Literal("bundle"), ...Bundle.fields }))
export type CatalogEntry = typeof CatalogEntry.Type

/** A catalog's file: docs/images.md. */
export const CatalogFile = Schema.Struct({ images: Schema.Record({ key: ImageName, value: CatalogEntry }) })
