import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { about } from "@banger/domain/about.ts"
import { type BundleContents, bundled } from "@banger/domain/bundle.ts"
import type { Image, Kernel } from "@banger/domain/catalog.ts"
import type { Digest } from "@banger/domain/ids.ts"
import { one } from "../command-line/json.ts"
import { STORE } from "../host/paths.ts"
import { moving } from "../output/progress.ts"
import { bangerBundle } from "./banger-bundle.ts"

const file = { sha256: Schema.String.pipe(about("of the file, in hex")), bytes: Schema.Number.pipe(about("size of the file")) }
const Packed = Schema.Struct({ packed: Schema.Struct(file) })

/** A bundle that was written. */
export const BUNDLE_FILE = one("bundle file", Schema.Struct({ path: Schema.String, ...file }))

/** Firecracker's own files. */
export interface Programs {
  readonly version: string
  readonly firecracker: string
  readonly jailer: string
}

/** Writes a bundle. Nothing of this host goes along but what is named. */
export const writeBundle = (out: string, images: ReadonlyArray<Image>, kernels: ReadonlyArray<Kernel>, programs: Programs | null) => {
  const stored = (name: string, digest: Digest) => `${name}=${STORE}/${digest}`
  const files = [
    ...images.flatMap(({ files: { name, rootfs, seed } }) => [stored(bundled.rootfs(name), rootfs), ...(seed === null ? [] : [stored(bundled.seed(name), seed)])]),
    ...kernels.flatMap(({ files }) => (["vmlinux", "initrd", "modules"] as const).map((file) => stored(bundled.kernel(files.name, file), files[file]))),
    ...(programs === null ? [] : [`${bundled.firecracker}=${programs.firecracker}`, `${bundled.jailer}=${programs.jailer}`])
  ]
  const contents: BundleContents = {
    images: images.map(({ files: { name }, run, source }) => ({ name, run, source })),
    kernels: kernels.map(({ files: { name, release } }) => ({ name, release })),
    firecracker: programs?.version ?? null
  }
  const path = resolve(out)
  const packing = moving(`writing ${path}`, (told) => bangerBundle(["pack", "--out", path, "--about", JSON.stringify(contents), ...files], Packed, path, told))
  return Effect.map(packing, ({ packed }) => ({ path, ...packed }))
}
