import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { VmSpec } from "@banger/domain/vm.ts"
import type { Capability, Check, GuestPatch } from "./capability.ts"
import { type CannotRemove, definite, Lease } from "./lease.ts"

/** What every capability of the pipeline tells the guest, by capability; composed into one document by guest-config. */
export class GuestPatches extends Context.Tag("@banger/capabilities/GuestPatches")<
  GuestPatches,
  ReadonlyArray<readonly [capability: string, patch: GuestPatch]>
>() {}

/** Which capabilities of a pipeline are meant, by their names; all, where nothing is said. */
export type Choice = (capability: string) => boolean

const all: Choice = () => true

/** Capabilities in the order they are taken. `R` is what a run needs and no capability provides: host services, in a complete one. */
export interface Pipeline<in Provides, out E, out R, out H> {
  /** The capabilities' names, in their order. */
  readonly names: ReadonlyArray<string>
  /** Makes what the VM keeps until it is deleted; none of it needs another capability's, so all at the same time. */
  readonly provision: (spec: VmSpec, of?: Choice) => Effect.Effect<void, E, H>
  /** Removes it again, in reverse, collecting what stays. */
  readonly destroy: (spec: VmSpec, of?: Choice) => Effect.Effect<ReadonlyArray<CannotRemove>, never, H>
  /** A running VM. */
  readonly layer: (spec: VmSpec) => Layer.Layer<Provides, E, R | Lease>
  /** Brings a run that goes on in line with a spec that changed. */
  readonly adjust: (spec: VmSpec, of?: Choice) => Effect.Effect<void, E, H>
  /** Undoes a run from the spec alone, in reverse, collecting what stays. Never touches the estate. */
  readonly reclaim: (spec: VmSpec, of?: Choice) => Effect.Effect<ReadonlyArray<CannotRemove>, never, H>
  /** The host objects that a run of these capabilities has. */
  readonly objects: (spec: VmSpec, of?: Choice) => ReadonlyArray<string>
  readonly guest: (spec: VmSpec) => Context.Tag.Service<GuestPatches>
  readonly checks: ReadonlyArray<Check<H> & { readonly capability: string }>
}

/** A pipeline that a daemon with the services `H` can run: its type says what is missing otherwise. */
export type Complete<P, E, H> = Pipeline<P, E, H | GuestPatches, H>

export const empty: Pipeline<never, never, never, never> = {
  names: [],
  objects: () => [],
  provision: () => Effect.void,
  destroy: () => Effect.succeed([]),
  layer: () => Layer.empty,
  adjust: () => Effect.void,
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

/**
 * A capability's part of a run. An adopted run may have begun under another list: what it never had of this one it gets now,
 * or what the capability has for that case.
 */
const part = (capability: AnyCapability, spec: VmSpec): ReturnType<AnyCapability["layer"]> =>
  Layer.unwrapEffect(Effect.map(Lease, (lease) => {
    if (lease.mode === "create" || lease.taken.has(capability.name)) return capability.layer(spec)
    if (capability.absent !== undefined) return capability.absent(spec)
    const made = Layer.provide(capability.layer(spec), Layer.succeed(Lease, { ...lease, mode: "create" }))
    return Layer.unwrapEffect(Effect.as(capability.estate?.ensure(spec) ?? Effect.void, made))
  }))

/** Adds capabilities that do not need each other: they are taken in parallel, after everything composed so far. */
export const stage = <const Cs extends readonly [AnyCapability, ...ReadonlyArray<AnyCapability>]>(...stage: Cs) =>
<P, E, R, H>(
  before: Pipeline<P, E, R, H>
): Pipeline<P | ProvidesOf<Cs[number]>, E | ErrorOf<Cs[number]>, R | Exclude<NeedsOf<Cs[number]> | HostOf<Cs[number]>, P>, H | HostOf<Cs[number]>> => {
  const [first, ...rest] = stage
  const chosen = (of: Choice) => stage.filter(({ name }) => of(name))
  const undo = (of: Choice, removal: (capability: AnyCapability) => Effect.Effect<void, CannotRemove, HostOf<Cs[number]>>) =>
    Effect.map(Effect.forEach(chosen(of), (c) => stayed(definite(c.name, removal(c))), { concurrency: "unbounded" }), (all) => all.flat())
  return {
    names: [...before.names, ...stage.map(({ name }) => name)],
    objects: (spec, of = all) => [...before.objects(spec, of), ...chosen(of).flatMap((c) => c.objects?.(spec) ?? [])],
    provision: (spec, of = all) =>
      Effect.all([before.provision(spec, of), ...chosen(of).map((c) => c.estate?.ensure(spec) ?? Effect.void)], { concurrency: "unbounded", discard: true }),
    destroy: (spec, of = all) =>
      Effect.zipWith(
        undo(of, (c) => c.estate?.remove(spec) ?? Effect.void),
        before.destroy(spec, of),
        (here, earlier) => [...here, ...earlier]
      ),
    layer: (spec) =>
      Layer.mergeAll(part(first, spec), ...rest.map((c) => part(c, spec))).pipe(Layer.provideMerge(before.layer(spec))),
    adjust: (spec, of = all) =>
      Effect.all([before.adjust(spec, of), ...chosen(of).map((c) => c.adjust?.(spec) ?? Effect.void)], { concurrency: "unbounded", discard: true }),
    reclaim: (spec, of = all) =>
      Effect.zipWith(undo(of, (c) => c.reclaim(spec)), before.reclaim(spec, of), (here, earlier) => [...here, ...earlier]),
    guest: (spec) => [...before.guest(spec), ...stage.map((c) => [c.name, c.guest?.(spec) ?? {}] as const)],
    checks: [...before.checks, ...stage.flatMap((c) => c.checks.map((check) => ({ ...check, capability: c.name })))]
  }
}
