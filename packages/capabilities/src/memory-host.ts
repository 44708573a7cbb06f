import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { OpFailed } from "./op-failed.ts"

/**
 * A host in memory: the set of objects that stand on it, by name. `fail` makes every operation on that object fail
 * once it has done its work, like a reply that was lost, or before it, like a refusal.
 */
export class MemoryHost extends Context.Tag("@banger/capabilities/MemoryHost")<MemoryHost, {
  readonly objects: Set<string>
  readonly has: (object: string) => Effect.Effect<boolean>
  readonly add: (object: string) => Effect.Effect<void, OpFailed>
  readonly delete: (object: string) => Effect.Effect<void, OpFailed>
}>() {
  static readonly layer = (
    objects: Set<string> = new Set(),
    failing: { readonly object: string; readonly when: "before" | "after" } | undefined = undefined
  ) => {
    const broken = (object: string, when: "before" | "after") =>
      failing?.when === when && failing.object === object
        ? Effect.fail(new OpFailed({ subject: object, problem: `refused ${when} it was made`, fix: "none" }))
        : Effect.void
    return Layer.succeed(MemoryHost, {
      objects,
      has: (object) => Effect.sync(() => objects.has(object)),
      add: (object) => broken(object, "before").pipe(Effect.zipRight(Effect.sync(() => void objects.add(object))), Effect.zipRight(broken(object, "after"))),
      delete: (object) => Effect.sync(() => void objects.delete(object))
    })
  }
}
