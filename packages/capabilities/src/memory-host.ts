import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { OpFailed } from "./op-failed.ts"

/**
 * Makes operations on objects whose name begins so fail: before their work, like a refusal; after it, like a reply that was
 * lost; when it is looked for; when it is removed; or as a flaw of the program itself would.
 */
export interface Failing {
  readonly object: string
  readonly when: "before" | "after" | "found" | "removed" | "defect"
}

/** A host in memory: the set of objects that stand on it, by name. */
export class MemoryHost extends Context.Tag("@banger/capabilities/MemoryHost")<MemoryHost, {
  readonly objects: Set<string>
  readonly has: (object: string) => Effect.Effect<boolean, OpFailed>
  readonly add: (object: string) => Effect.Effect<void, OpFailed>
  readonly delete: (object: string) => Effect.Effect<void, OpFailed>
}>() {
  static readonly layer = (objects: Set<string> = new Set(), failing: Failing | undefined = undefined) => {
    const broken = (object: string, when: Failing["when"]) =>
      Effect.suspend(() => failing?.when === when && object.startsWith(failing.object)
        ? Effect.fail(new OpFailed({ subject: object, problem: `refused ${when}`, fix: "none" }))
        : Effect.void)
    return Layer.succeed(MemoryHost, {
      objects,
      has: (object) => broken(object, "found").pipe(Effect.zipRight(Effect.sync(() => objects.has(object)))),
      add: (object) => Effect.orDie(broken(object, "defect")).pipe(Effect.zipRight(broken(object, "before")), Effect.zipRight(Effect.sync(() => void objects.add(object))), Effect.zipRight(broken(object, "after"))),
      delete: (object) => broken(object, "removed").pipe(Effect.zipRight(Effect.sync(() => void objects.delete(object))))
    })
  }
}
