import * as Schema from "effect/Schema"
import { ImageSource } from "./catalog.ts"
import { ImageName, KernelName } from "./ids.ts"
import { RunConfig } from "./run-config.ts"
import { KernelRelease } from "./vm.ts"

/** What a bundle holds: its manifest's `about`. Whoever reads one has it from a stranger. */
export const BundleContents = Schema.Struct({
  images: Schema.Array(Schema.Struct({ name: ImageName, run: Schema.NullOr(RunConfig), source: Schema.NullOr(ImageSource) })),
  kernels: Schema.Array(Schema.Struct({ name: KernelName, release: KernelRelease })),
  /** What `firecracker --version` says of the one that is in it. */
  firecracker: Schema.NullOr(Schema.String)
})
export type BundleContents = typeof BundleContents.Type

/** What banger-bundle says of a bundle it has unpacked: the names of its files, in the order of their numbers. */
export const Unpacked = Schema.Struct({ unpacked: Schema.Struct({ about: BundleContents, files: Schema.Array(Schema.String) }) })

/** The names of a bundle's files. */
export const bundled = {
  rootfs: (image: ImageName) => `images/${image}/rootfs.ext4`,
  seed: (image: ImageName) => `images/${image}/work-seed.ext4`,
  kernel: (kernel: KernelName, file: "vmlinux" | "initrd" | "modules") => `kernels/${kernel}/${file}`,
  firecracker: "firecracker",
  jailer: "jailer"
}
