import { HOST_DNS_PORT } from "@banger/capabilities/dns/ports.ts"
import { Helper } from "@banger/capabilities/helper.ts"
import { DAEMON_SOCKET } from "@banger/capabilities/paths.ts"
import { HostApi } from "@banger/domain/api.ts"
import { HelperUnreachable } from "@banger/domain/errors.ts"
import { VERSION } from "@banger/domain/version.ts"
import * as Effect from "effect/Effect"
import { Catalog } from "../catalog.ts"
import { doctor } from "../doctor.ts"
import { HostFacts } from "../host-facts.ts"
import { Pool } from "../pool.ts"
import { Registry } from "../vms/registry.ts"

export const hostHandlers = HostApi.toLayer(Effect.gen(function*() {
  const catalog = yield* Catalog
  const facts = yield* HostFacts
  const helper = yield* Helper
  const pool = yield* Pool
  const registry = yield* Registry
  const findings = yield* doctor

  return HostApi.of({
    "host.Status": () =>
      Effect.gen(function*() {
        const cells = registry.cells()
        const hello = yield* Effect.option(facts.hello)
        return {
          pid: process.pid,
          version: VERSION,
          helper: hello._tag === "Some" ? hello.value.version : null,
          socket: DAEMON_SOCKET,
          dns: `127.0.0.1:${HOST_DNS_PORT}`,
          log: "journalctl -u bangerd",
          running: cells.filter(({ run }) => run !== undefined).length,
          vms: cells.length
        }
      }),
    "host.Doctor": () => findings,
    "host.Leaks": () =>
      Effect.gen(function*() {
        const slot = ({ record: { spec } }: ReturnType<typeof registry.cells>[number]) => ({ vm: spec.id, slot: spec.slot })
        const cells = registry.cells()
        return yield* helper.helper.Leaks({
          known: {
            estates: cells.map(slot),
            running: cells.filter(({ record }) => !["stopped", "crashed", "broken"].includes(record.state)).map(slot),
            pool: yield* pool.slots,
            stored: [...yield* catalog.inUse]
          }
        })
      }).pipe(Effect.mapError((error) => error instanceof HelperUnreachable ? error : new HelperUnreachable({ problem: error.message })))
  })
}))
