import * as Schema from "effect/Schema"

/** Something of banger's on the host's disk: each file stands in one row only, however many share it. */
export const Usage = Schema.Struct({
  what: Schema.Literal("image", "kernel", "vm", "layers", "staging", "caches", "orphan"),
  /** Who uses it, or what it is. */
  name: Schema.String,
  /** Bytes as programs see them, and as they are on the disk. */
  apparentBytes: Schema.Number,
  allocatedBytes: Schema.Number,
  /** `banger prune` removes it. */
  removable: Schema.Boolean
})
export type Usage = typeof Usage.Type

export const DiskUsage = Schema.Struct({
  usages: Schema.Array(Usage),
  /** Of the file system that /var/lib/banger is on, bytes. */
  freeBytes: Schema.Number
})
export type DiskUsage = typeof DiskUsage.Type
