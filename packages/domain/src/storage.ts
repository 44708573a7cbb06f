import * as Schema from "effect/Schema"
import { about } from "./about.ts"

/** Something of banger's on the host's disk: each file stands in one row only, however many share it. */
export const Usage = Schema.Struct({
  what: Schema.Literal("image", "kernel", "vm", "layers", "staging", "caches", "orphan"),
  name: Schema.String.pipe(about("who uses it, or what it is")),
  apparentBytes: Schema.Number.pipe(about("as programs see it")),
  allocatedBytes: Schema.Number.pipe(about("on the disk")),
  removable: Schema.Boolean.pipe(about("whether banger prune removes it"))
})
export type Usage = typeof Usage.Type

export const DiskUsage = Schema.Struct({
  usages: Schema.Array(Usage),
  freeBytes: Schema.Number.pipe(about("of the file system that /var/lib/banger is on"))
})
export type DiskUsage = typeof DiskUsage.Type
