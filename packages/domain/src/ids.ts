import * as Schema from "effect/Schema"

const text = (pattern: RegExp, expected: string) =>
  Schema.String.pipe(Schema.pattern(pattern, { message: () => expected }))

/** A VM for its whole life: 16 hex digits, random. It names every host object of the VM, and nothing else may. */
export const VmId = text(/^[0-9a-f]{16}$/, "expected a VM id of 16 hex digits").pipe(Schema.brand("VmId"))
export type VmId = typeof VmId.Type

/** What the user calls a VM: one DNS label, since it is also `<name>.vm`. */
export const VmName = text(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  "expected a VM name: lower-case letters, digits and inner hyphens, at most 63"
).pipe(Schema.brand("VmName"))
export type VmName = typeof VmName.Type

/** A VM as the command line gives it: a name, an id, or the beginning of an id. */
export const VmRef = text(/^[a-z0-9-]{1,63}$/, "expected a VM's name, id or the beginning of its id").pipe(
  Schema.brand("VmRef")
)
export type VmRef = typeof VmRef.Type

/**
 * The host part of a VM's address: slot 5 of 172.16.0.0/24 is 172.16.0.5. TAP name, MAC and uid follow from it
 * (network.ts). Held from create to delete. Slot 1 is the bridge.
 */
export const Slot = Schema.Int.pipe(
  Schema.between(2, 65_533, { message: () => "expected a slot between 2 and 65533" }),
  Schema.brand("Slot")
)
export type Slot = typeof Slot.Type

/** The sha256 of a file in the image store, in hex: its name there. */
export const Digest = text(/^[0-9a-f]{64}$/, "expected a sha256 of 64 hex digits").pipe(Schema.brand("Digest"))
export type Digest = typeof Digest.Type

/** A file that the owner hands to the image store, by its place in the staging directory. */
export const StagingId = text(/^[0-9a-f]{16}$/, "expected a staging id of 16 hex digits").pipe(Schema.brand("StagingId"))
export type StagingId = typeof StagingId.Type

/** Who puts a file into staging, as its id tells: what a daemon has left there is nobody's when the next one starts. */
const STAGED_BY = { client: "c", daemon: "d" } as const

/** An id made of 16 random hex digits. */
export const stagingId = (by: keyof typeof STAGED_BY, random: string): StagingId => StagingId.make(`${STAGED_BY[by]}${random.slice(1)}`)

export const isDaemons = (name: string): boolean => name.startsWith(STAGED_BY.daemon)

const catalogName = (what: string) =>
  text(/^[a-z0-9][a-z0-9._-]{0,62}$/, `expected ${what} name: lower-case letters, digits, dot, underscore and hyphen`)

export const ImageName = catalogName("an image").pipe(Schema.brand("ImageName"))
export type ImageName = typeof ImageName.Type

export const KernelName = catalogName("a kernel").pipe(Schema.brand("KernelName"))
export type KernelName = typeof KernelName.Type
