import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { environmentOf } from "@banger/domain/run-config.ts"
import type { VmSpec } from "@banger/domain/vm.ts"
import { GuestFile, GuestMount, GuestNetwork, type GuestPatch } from "../capability.ts"

/** Two capabilities tell the guest to write the same file, or mount at the same place. */
export class GuestConflict extends Schema.TaggedError<GuestConflict>()("GuestConflict", {
  what: Schema.String,
  capabilities: Schema.Array(Schema.String)
}) {
  override get message() {
    return `${this.capabilities.join(" and ")} both set ${this.what}`
  }
  get hint() {
    return "leave one of the two capabilities out of the pipeline"
  }
}

/** docs/guest-protocol.md, `GET /v1/config`. */
export const GuestDocument = Schema.Struct({
  protocol: Schema.Literal(1),
  hostname: Schema.String,
  network: Schema.NullOr(GuestNetwork),
  mounts: Schema.Array(GuestMount),
  files: Schema.Array(GuestFile),
  mask: Schema.Array(Schema.String),
  /** What the image's maker set for every process. */
  environment: Schema.Record({ key: Schema.String, value: Schema.String }),
  /** Of the tz database. */
  timezone: Schema.String,
  unixTime: Schema.Int
})
export type GuestDocument = typeof GuestDocument.Type

type Patches = ReadonlyArray<readonly [capability: string, patch: GuestPatch]>

const claims = (patch: GuestPatch): ReadonlyArray<string> => [
  // A file that gives way to others claims nothing.
  ...(patch.files ?? []).filter(({ unless }) => unless === undefined).map(({ path }) => `the file ${path}`),
  ...(patch.mounts ?? []).map(({ at }) => `the mount at ${at}`),
  ...(patch.network === undefined ? [] : ["the network"])
]

/** One document from what every capability says. The clock and its zone are left to the moment it is served. */
export const compose = (spec: VmSpec, patches: Patches): Effect.Effect<Omit<GuestDocument, "unixTime" | "timezone">, GuestConflict> => {
  const owners = new Map<string, string>()
  for (const [capability, patch] of patches) {
    for (const what of claims(patch)) {
      const other = owners.get(what)
      if (other !== undefined) return new GuestConflict({ what, capabilities: [other, capability] })
      owners.set(what, capability)
    }
  }
  const all = patches.map(([, patch]) => patch)
  return Effect.succeed({
    protocol: 1,
    hostname: spec.name,
    network: all.find((patch) => patch.network !== undefined)?.network ?? null,
    mounts: all.flatMap((patch) => patch.mounts ?? []),
    files: all.flatMap((patch) => patch.files ?? []).filter(({ path, unless = [] }) => ![path, ...unless].some((each) => unless.length > 0 && owners.has(`the file ${each}`))),
    mask: [...new Set(all.flatMap((patch) => patch.mask ?? []))],
    environment: environmentOf(spec.run)
  })
}
