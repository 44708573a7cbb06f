import { Helper } from "@banger/capabilities/helper.ts"
import { HelperUnreachable } from "@banger/domain/errors.ts"
import * as Effect from "effect/Effect"
import { Catalog } from "./catalog.ts"
import { Pool } from "./pool.ts"
import { type Cell, Registry } from "./vms/registry.ts"

const slot = ({ record: { spec } }: Cell) => ({ vm: spec.id, slot: spec.slot })

/** States in which nothing of a run may be left. */
const AT_REST = ["stopped", "crashed", "broken"]

/** Every host object that carries banger's names and belongs to no VM that should have it. */
export const makeLeaks = Effect.gen(function*() {
  const catalog = yield* Catalog
  const helper = yield* Helper
  const pool = yield* Pool
  const registry = yield* Registry
  return Effect.gen(function*() {
    const cells = registry.cells()
    return yield* helper.helper.Leaks({
      known: {
        estates: cells.map(slot),
        running: cells.filter(({ record }) => !AT_REST.includes(record.state)).map(slot),
        pool: yield* pool.slots,
        stored: [...yield* catalog.inUse]
      }
    })
  }).pipe(Effect.mapError((error) => error instanceof HelperUnreachable ? error : new HelperUnreachable({ problem: error.message })))
})
