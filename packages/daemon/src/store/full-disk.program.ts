import { readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { VmRef } from "@banger/domain/ids.ts"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { daemonOn, recovered, reserve } from "../testing.ts"
import { Lifecycle } from "../vms/lifecycle.ts"
import { Registry } from "../vms/registry.ts"

/** Run by full-disk.test.ts with its state on a small file system of its own, which it fills. */
const state = process.argv[2] ?? ""
const quiet = () => Effect.void

/** Takes every block that is left, to the last byte. */
const fill = Effect.sync(() => {
  const chunk = Buffer.alloc(4096)
  for (let n = 0; statfsSync(state).bavail > 0; n++) writeFileSync(path.join(state, `fill-${n}`), chunk)
})

const objects = new Set<string>()
const daemon = <A, E>(test: Effect.Effect<A, E, Layer.Layer.Success<ReturnType<typeof daemonOn>> | Scope.Scope>) =>
  Effect.scoped(Effect.provide(test, daemonOn(state, objects)))
const states = Effect.map(Registry, (registry) => registry.cells().map(({ record }) => `${record.spec.name} ${record.state}`))
const named = (name: string) => Effect.flatMap(Registry, (registry) => registry.find(VmRef.make(name)))

await Effect.runPromise(Effect.gen(function*() {
  yield* daemon(Effect.gen(function*() {
    const lifecycle = yield* Lifecycle
    for (const name of ["one", "two", "three"]) yield* lifecycle.create(yield* reserve(name), quiet)
  }))
  // What the daemon holds open is opened again: the host was rebooted, or the daemon updated.
  yield* fill
  const full = yield* daemon(Effect.gen(function*() {
    const lifecycle = yield* Lifecycle
    yield* recovered
    yield* lifecycle.stop(yield* named("one"), 10, quiet)
    yield* lifecycle.remove(yield* named("two"), true, quiet)
    return yield* states
  }))
  for (const name of readdirSync(state).filter((each) => each.startsWith("fill-"))) rmSync(path.join(state, name))
  const later = yield* daemon(Effect.zipRight(recovered, states))
  yield* Console.log(JSON.stringify({ full, later }))
}))
