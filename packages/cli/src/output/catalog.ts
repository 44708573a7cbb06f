import * as Schema from "effect/Schema"
import { Image, Kernel } from "@banger/domain/catalog.ts"
import { ago } from "./units.ts"

export const IMAGE_FIELDS: ReadonlyArray<string> = [
  "files {name, generation, rootfs, seed (sha256, or null)}, kernel (or null), rootfsBytes,",
  "createdAt (milliseconds since 1970), usedBy[] (names of VMs),",
  "source {reference, digest} and run {env[], entrypoint[], cmd[], workdir, user}, or null: of a container image"
]

export const KERNEL_FIELDS: ReadonlyArray<string> = [
  "files {name, release, vmlinux, initrd, modules (sha256)},",
  "createdAt (milliseconds since 1970), usedBy[] (names of VMs and images)"
]

export const imageJson = Schema.encodeSync(Image)
export const kernelJson = Schema.encodeSync(Kernel)

/** When something was made: how long ago for whoever looks on, the day for a pipe or a file. */
export const since = (ms: number): string => process.stdout.isTTY === true ? ago(Date.now() - ms) : new Date(ms).toISOString().slice(0, 10)
export const users = (names: ReadonlyArray<string>): string => names.length === 0 ? "-" : names.join(", ")
