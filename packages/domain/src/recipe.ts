import * as Schema from "effect/Schema"
import { about } from "./about.ts"
import { Parameters } from "./config.ts"
import { Digest, ImageName, KernelName } from "./ids.ts"
import { DiskMib } from "./vm.ts"

/** An image of a registry, as docker pull names it; never what a program could take for a flag. banger-oci knows the whole of the form. */
export const ImageReference = Schema.String.pipe(
  Schema.pattern(/^[\w[][\w.:/@[\]-]{0,511}$/, { message: () => "expected a reference such as debian:12 or ghcr.io/owner/name:tag" })
)

/** A catalog's description of an entry: a stranger's text that stands on a terminal. */
const About = Schema.String.pipe(Schema.pattern(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{0,200}$/u, { message: () => "expected one line of at most 200 characters" }))

/** A container image and a script that makes banger's image of it, on the user's own host. */
export const Recipe = Schema.Struct({
  about: About,
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

/** A file that anybody may keep, since its digest is known. */
export const KnownFile = Schema.Struct({
  /** http, https or file; relative to the catalog's. */
  url: Schema.String,
  /** Of the file, in hex. */
  sha256: Digest,
  bytes: Schema.NonNegativeInt
})
export type KnownFile = typeof KnownFile.Type

/** What `banger image export --bundle` wrote, put somewhere. */
export const Bundle = Schema.Struct({ about: About, ...KnownFile.fields })
export type Bundle = typeof Bundle.Type

/** A kernel as its distribution packages it for Debian's dpkg: one package, or two where the modules are apart. */
export const KernelEntry = Schema.Struct({ about: About, packages: Schema.NonEmptyArray(KnownFile) })

/** An image that banger knows how to get. */
export const CatalogEntry = Schema.Union(Schema.Struct({ kind: Schema.Literal("recipe"), ...Recipe.fields }), Schema.Struct({ kind: Schema.Literal("bundle"), ...Bundle.fields }))
export type CatalogEntry = typeof CatalogEntry.Type

/** A catalog's file: docs/images.md. */
export const CatalogFile = Schema.Struct({
  images: Schema.optionalWith(Schema.Record({ key: ImageName, value: CatalogEntry }), { default: () => ({}) }),
  kernels: Schema.optionalWith(Schema.Record({ key: KernelName, value: KernelEntry }), { default: () => ({}) })
})

/** A name of a catalog. */
export const Offer = Schema.Struct({
  kind: Schema.Literal("image", "kernel").pipe(about("which pull it is for")),
  name: Schema.String.pipe(about("as the pull takes it")),
  about: Schema.String.pipe(about("what its catalog says of it")),
  catalog: Schema.String.pipe(about("address of the catalog that has it"))
})
export type Offer = typeof Offer.Type
