import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { VmSpec } from "@banger/domain/vm.ts"
import type { Capability, Check, GuestPatch } from "./capability.ts"
import { type CannotRemove, definite, type Lease } from "./lease.ts"

/** What every capability of the pipeline tells the guest, by capability; composed into one document by guest-config. */
export class GuestPatches extends Context.Tag("@banger/capabilities/GuestPatches")<
  GuestPatches,
  ReadonlyArray<readonly [capability: string, patch: GuestPatch]>
>() {}

/** Capabilities in the order they are taken. `R` is what a run needs and no capability provides: host services, in a complete one. */
export interface Pipeline<in Provides, out E, out R, out H> {
  /** Makes what the VM keeps until it is deleted; none of it needs another capability's, so all at the same time. */
  readonly provision: (spec: VmSpec) => Effect.Effect<void, E, H>
  /** Removes it again, in reverse, collecting what stays. */
  readonly destroy: (spec: VmSpec) => Effect.Effect<ReadonlyArray<CannotRemove>, never, H>
  /** A running VM. */
  readonly layer: (spec: VmSpec) => Layer.Layer<Provides, E, R | Lease>
  /** Undoes a run from the spec alone, in reverse, collecting what stays. Never touches the estate. */
  readonly reclaim: (spec: VmSpec) => Effect.Effect<ReadonlyArray<CannotRemove>, never, H>
  readonly guest: (spec: VmSpec) => Context.Tag.Service<GuestPatches>
  readonly checks: ReadonlyArray<Check<H> & { readonly capability: string }>
}

/** A pipeline that a daemon with the services `H` can run: its type says what is missing otherwise. */
export type Complete<P, E, H> = Pipeline<P, E, H | GuestPatches, H>

export const empty: Pipeline<never, never, never, never> = {
  provision: () => Effect.void,
  destroy: () => Effect.succeed([]),
  layer: () => Layer.empty,
  reclaim: () => Effect.succeed([]),
  guest: () => [],
  checks: []
}

/* oxlint-disable typescript/no-explicit-any -- the one place where a capability's types are unknown; `stage` gives them back */
type AnyCapability = Capability<any, any, any, any>
type ProvidesOf<C> = C extends Capability<infer P, any, any, any> ? P : never
type ErrorOf<C> = C extends Capability<any, infer E, any, any> ? E : never
type NeedsOf<C> = C extends Capability<any, any, infer R, any> ? R : never
type HostOf<C> = C extends Capability<any, any, any, infer H> ? H : never
/* oxlint-enable typescript/no-explicit-any */

const stayed = <H>(removal: Effect.Effect<void, CannotRemove, H>) =>
  Effect.match(removal, { onSuccess: () => [], onFailure: (error) => [error] })

/** Adds capabilities that do not need each other: they are taken in parallel, after everything composed so far. */
export const stage = <const Cs extends readonly [AnyCapability, ...ReadonlyArray<AnyCapability>]>(...stage: Cs) =>
<P, E, R, H>(
  before: Pipeline<P, E, R, H>
): Pipeline<P | ProvidesOf<Cs[number]>, E | ErrorOf<Cs[number]>, R | Exclude<NeedsOf<Cs[number]>, P>, H | HostOf<Cs[number]>> => {
  const [first, ...rest] = stage
  const undo = (removal: (capability: AnyCapability) => Effect.Effect<void, CannotRemove, HostOf<Cs[number]>>) =>
    Effect.map(Effect.forEach(stage, (c) => stayed(definite(c.name, removal(c))), { concurrency: "unbounded" }), (all) => all.flat())
  return {
    provision: (spec) =>
      Effect.all([before.provision(spec), ...stage.map((c) => c.estate?.ensure(spec) ?? Effect.void)], { concurrency: "unbounded", discard: true }),
    destroy: (spec) =>
      Effect.zipWith(
        undo((c) => c.estate?.remove(spec) ?? Effect.void),
        before.destroy(spec),
        (here, earlier) => [...here, ...earlier]
      ),
    layer: (spec) =>
      Layer.mergeAll(first.layer(spec), ...rest.map((c) => c.layer(spec))).pipe(Layer.provideMerge(before.layer(spec))),
    reclaim: (spec) =>
      Effect.zipWith(undo((c) => c.reclaim(spec)), before.reclaim(spec), (here, earlier) => [...here, ...earlier]),
    guest: (spec) => [...before.guest(spec), ...stage.map((c) => [c.name, c.guest?.(spec) ?? {}] as const)],
    checks: [...before.checks, ...stage.flatMap((c) => c.checks.map((check) => ({ ...check, capability: c.name })))]
  }
}
