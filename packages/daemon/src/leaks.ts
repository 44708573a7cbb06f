import { Helper } from "@banger/capabilities/helper.ts"
import { HelperUnreachable } from "@banger/domain/errors.ts"
import { tapName } from "@banger/domain/network.ts"
import * as Effect from "effect/Effect"
import { Catalog } from "./catalog.ts"
import { Pool } from "./pool.ts"
import { type Cell, Registry } from "./vms/registry.ts"
import { VmRuntime } from "./vms/runtime.ts"

/** Whether nothing of a run may be left. A VM whose record cannot be read may well run. */
const atRest = ({ record, unreadable }: Cell) => unreadable === undefined && ["stopped", "crashed", "broken"].includes(record.state)

/** Every host object that carries banger's names and belongs to no VM that should have it. */
export const makeLeaks = Effect.gen(function*() {
  const catalog = yield* Catalog
  const helper = yield* Helper
  const pool = yield* Pool
  const registry = yield* Registry
  const runtime = yield* VmRuntime
  return Effect.gen(function*() {
    const cells = registry.cells()
    const running = cells.filter((cell) => !atRest(cell))
    return yield* helper.helper.Leaks({
      known: {
        estates: cells.map(({ record }) => record.spec.id),
        running: running.map(({ record }) => record.spec.id),
        objects: [...running.flatMap(({ record }) => runtime.objects(record)), ...(yield* pool.slots).map((slot) => `interface ${tapName(slot)}`)],
        stored: [...yield* catalog.inUse]
      }
    })
  }).pipe(Effect.mapError((error) => error instanceof HelperUnreachable ? error : new HelperUnreachable({ problem: error.message })))
})
