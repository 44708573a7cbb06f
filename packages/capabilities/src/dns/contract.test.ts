import { VmName } from "@banger/domain/ids.ts"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import { Lease } from "../lease.ts"
import { MemoryHost } from "../memory-host.ts"
import { contract } from "../testing/contract-suite.ts"
import { testSpec } from "../testing/spec.ts"
import { dns } from "./live.ts"
import { layer as memory } from "./memory.ts"

contract(dns, { stands: false, needs: () => Layer.empty })

it.live("a VM that runs has its new name at once, and its end takes that one", () => {
  const objects = new Set<string>()
  return Effect.gen(function*() {
    const attachment = yield* Scope.make()
    yield* Layer.buildWithScope(dns.layer(testSpec()), attachment)
    const renamed = testSpec({ name: VmName.make("other") })
    yield* dns.adjust?.(renamed) ?? Effect.void
    assert.deepStrictEqual([...objects], ["dns other"])
    yield* Scope.close(attachment, Exit.void)
    assert.strictEqual(objects.size, 0)
  }).pipe(
    Effect.provide(memory.pipe(Layer.provide(MemoryHost.layer(objects)))),
    Effect.provideServiceEffect(Lease, Effect.map(Effect.all([Scope.make(), Ref.make<ReadonlyArray<string>>([])]), ([scope, leftovers]) =>
      ({ scope, leftovers, mode: "create" as const, taken: new Set<string>(), step: <A, E, R>(_: string, work: Effect.Effect<A, E, R>) => work })))
  )
})
