import { HOST_DNS_PORT } from "@banger/capabilities/dns/ports.ts"
import { DAEMON_SOCKET } from "@banger/capabilities/paths.ts"
import { HostApi } from "@banger/domain/api.ts"
import { VERSION } from "@banger/domain/version.ts"
import * as Effect from "effect/Effect"
import { doctor } from "../doctor.ts"
import { HostFacts } from "../host-facts.ts"
import { makeOffers, makeSession } from "../images/recipes.ts"
import { makeLeaks } from "../leaks.ts"
import { makeStorage } from "../storage.ts"
import { Registry } from "../vms/registry.ts"

export const hostHandlers = HostApi.toLayer(Effect.gen(function*() {
  const facts = yield* HostFacts
  const registry = yield* Registry
  const findings = yield* doctor
  const leaks = yield* makeLeaks
  const offers = yield* makeOffers()
  const sessionOf = yield* makeSession
  const storage = yield* makeStorage

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
    "host.Leaks": () => leaks,
    "host.DiskUsage": () => storage.diskUsage,
    "host.Catalog": ({ session }) => Effect.flatMap(sessionOf(session), offers),
    "host.Prune": ({ dryRun }) => storage.prune(dryRun)
  })
}))
