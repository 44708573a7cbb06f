import * as Effect from "effect/Effect"
import { Catalog } from "./catalog.ts"
import { HostFacts } from "./host-facts.ts"
import { Operations } from "./vms/operations.ts"
import { Registry } from "./vms/registry.ts"

/**
 * What a daemon that was killed had put into the store for an image that it never finished: it goes once every VM is
 * recovered, for the builder VMs that go with that daemon use some of it.
 */
export const collection = Effect.gen(function*() {
  const catalog = yield* Catalog
  const facts = yield* HostFacts
  const operations = yield* Operations
  const registry = yield* Registry
  const recovered = Effect.forEach(registry.cells(), ({ record: { spec } }) => operations.begin(spec, "recovered", () => Effect.void), { concurrency: "unbounded", discard: true })
  // A database that was lost knows no images, though their files are there: nothing is taken away for that.
  const known = Effect.map(Effect.all([catalog.images, catalog.kernels]), (records) => records.flat().length > 0)
  const collect = Effect.whenEffect(catalog.collect, known)
  yield* facts.helper.pipe(Effect.zipRight(recovered), Effect.zipRight(collect), Effect.ignoreLogged, Effect.forkScoped)
})
