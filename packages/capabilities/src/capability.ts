import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Failure } from "@banger/domain/failure.ts"
import { notReady, type Verdict } from "@banger/domain/readiness.ts"
import type { VmSpec } from "@banger/domain/vm.ts"
import { type CannotRemove, type Held, type Lease, leased, type NotAdoptable } from "./lease.ts"

export const GuestNetwork = Schema.Struct({
  interface: Schema.String,
  address: Schema.String,
  gateway: Schema.String,
  resolvers: Schema.Array(Schema.String),
  search: Schema.Array(Schema.String)
})

export const GuestMount = Schema.Struct({
  device: Schema.String,
  at: Schema.String,
  type: Schema.String,
  readOnly: Schema.Boolean,
  grow: Schema.Boolean
})

export const GuestFile = Schema.Struct({
  path: Schema.String,
  mode: Schema.String,
  content: Schema.String,
  /** Paths in the guest: where one of them is there, the file is not written. */
  unless: Schema.optional(Schema.Array(Schema.String))
})

/** What one capability tells the guest at boot; docs/guest-protocol.md has the whole document. */
export interface GuestPatch {
  readonly network?: typeof GuestNetwork.Type
  readonly mounts?: ReadonlyArray<typeof GuestMount.Type>
  readonly files?: ReadonlyArray<typeof GuestFile.Type>
  /** systemd units hidden from the guest. */
  readonly mask?: ReadonlyArray<string>
}

/** One question about the host, answered with what to do about it. */
export interface Check<out H> {
  readonly name: string
  readonly run: Effect.Effect<Verdict, never, H>
}

/** A check that asks the host for facts and judges them; the judgement is pure. */
export const factCheck = <F, H>(
  name: string,
  facts: Effect.Effect<F, Required<Failure>, H>,
  judge: (facts: F) => Verdict
): Check<H> => ({
  name,
  run: Effect.match(facts, { onSuccess: judge, onFailure: (error) => notReady(error.message, error.hint) })
})

/** What a VM keeps from create to delete. Both are safe to repeat; `remove` succeeds when nothing is there. */
export interface Estate<out E, out H> {
  readonly ensure: (spec: VmSpec) => Effect.Effect<void, E, H>
  readonly remove: (spec: VmSpec) => Effect.Effect<void, CannotRemove, H>
}

/**
 * One host integration, as a value. Create, start, adoption, stop, delete, the guest's configuration and doctor all
 * follow from it. `Provides` is what later capabilities may use; `R` is what a run needs, of earlier capabilities and of
 * the host; `H` is what needs no run: making and removing, checks.
 */
export interface Capability<in Provides, out E, out R, out H> {
  readonly name: string
  readonly estate?: Estate<E, H>
  /** Takes the capability's part of a VM's lease (or finds it, in adopt mode) and attaches the daemon to it. */
  readonly layer: (spec: VmSpec) => Layer.Layer<Provides, E, R | Lease>
  /**
   * What a run gets of it that began before the capability was in the daemon's list, when such a run is adopted. Without
   * this the capability's part is made at that moment, its estate too.
   */
  readonly absent?: (spec: VmSpec) => Layer.Layer<Provides, E, R>
  /** Brings a run that goes on in line with a spec that changed. Safe to repeat. Without this, nothing of the capability's can be changed while a VM runs. */
  readonly adjust?: (spec: VmSpec) => Effect.Effect<void, E, H>
  /** Gives the same part back from the spec alone, whatever half of it stands. */
  readonly reclaim: (spec: VmSpec) => Effect.Effect<void, CannotRemove, H>
  /** Host objects that a run has of it, as the helper's `Leaks` names them. An object that no run should have is a leak. */
  readonly objects?: (spec: VmSpec) => ReadonlyArray<string>
  readonly guest?: (spec: VmSpec) => GuestPatch
  readonly checks: ReadonlyArray<Check<H>>
}

/** A capability whose part of the lease is one host object. */
export const holding = <I, A, E, R, H>({ absent, held, provides, ...rest }: {
  readonly name: string
  readonly provides: Context.Tag<I, A>
  readonly held: (spec: VmSpec) => Held<A, E, R, H>
  readonly absent?: (spec: VmSpec) => Effect.Effect<A, E | NotAdoptable, R>
  readonly adjust?: (spec: VmSpec) => Effect.Effect<void, E, H>
  readonly objects?: (spec: VmSpec) => ReadonlyArray<string>
  readonly estate?: Estate<E, H>
  readonly guest?: (spec: VmSpec) => GuestPatch
  readonly checks: ReadonlyArray<Check<H>>
}): Capability<I, E | NotAdoptable, R | H, H> => ({
  ...rest,
  layer: (spec) => Layer.effect(provides, leased(held(spec))),
  reclaim: (spec) => held(spec).remove,
  ...(absent && { absent: (spec: VmSpec) => Layer.effect(provides, absent(spec)) })
})
