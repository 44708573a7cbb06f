import * as fs from "node:fs"
import * as path from "node:path"
import { type Failing, MemoryHost } from "@banger/capabilities/memory-host.ts"
import type { Complete } from "@banger/capabilities/compose.ts"
import { type HostServices, pipeline } from "@banger/capabilities/pipeline.ts"
import { services, transports } from "@banger/capabilities/testing/memory-helper.ts"
import { testSpec } from "@banger/capabilities/testing/spec.ts"
import type { Failure } from "@banger/domain/failure.ts"
import { VmId, VmName } from "@banger/domain/ids.ts"
import { Cidr } from "@banger/domain/network.ts"
import { VmRecord, VmSpec } from "@banger/domain/vm.ts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { randomBytes } from "node:crypto"
import { Config } from "./config.ts"
import { HostFacts } from "./host-facts.ts"
import { Pool } from "./pool.ts"
import * as Database from "./store/database.ts"
import { VmStore } from "./store/vm-store.ts"
import { Events } from "./vms/events.ts"
import { SshFiles } from "./vms/ssh-files.ts"
import { Lifecycle } from "./vms/lifecycle.ts"
import { Operations } from "./vms/operations.ts"
import { recovery } from "./vms/recovery.ts"
import { Registry } from "./vms/registry.ts"
import { VmRuntime } from "./vms/runtime.ts"

/** The daemon's VM side with a real database in `state`, on a host in memory. Built anew, it is a daemon that was restarted. */
export const daemonOn = <P = never, E extends Failure = never>(
  state: string,
  objects: Set<string>,
  failing?: Failing,
  list: Complete<P, E, HostServices> = pipeline as unknown as Complete<P, E, HostServices>
) => {
  fs.mkdirSync(path.join(state, "vms"), { recursive: true })
  // Without a warm pool every TAP on the host is a VM's.
  fs.writeFileSync(path.join(state, "config.toml"), "tap_pool_size = 0\n")
  const host = Layer.mergeAll(services, transports["in process"]).pipe(Layer.provide(MemoryHost.layer(objects, failing)))
  const store = VmStore.layer(path.join(state, "vms")).pipe(Layer.provide(Database.layer(path.join(state, "banger.db"))))
  return Lifecycle.layer.pipe(
    Layer.provideMerge(Layer.mergeAll(Operations.layer, Pool.layer, SshFiles.layer(state), VmRuntime.layer(list))),
    Layer.provideMerge(Registry.layer),
    Layer.provideMerge(Events.layer(path.join(state, "vms"))),
    Layer.provideMerge(Layer.mergeAll(store, Config.layer(path.join(state, "config.toml")), HostFacts.layer)),
    Layer.provideMerge(host),
    Layer.provideMerge(Logger.minimumLogLevel(LogLevel.None))
  )
}

/** A VM that `create` may make, under a name. */
export const reserve = (name: string) =>
  Effect.gen(function*() {
    const registry = yield* Registry
    const runtime = yield* VmRuntime
    const { bootId } = yield* HostFacts
    return yield* registry.add(Cidr.make("172.16.0.0/24"), VmName.make(name), (slot) =>
      new VmRecord({
        spec: new VmSpec({ ...testSpec(), id: VmId.make(randomBytes(8).toString("hex")), name: VmName.make(name), slot }),
        state: "creating",
        reason: "",
        createdAt: 0,
        startedAt: null,
        startedUptime: null,
        ephemeral: null,
        hostBoot: bootId,
        made: runtime.names,
        taken: []
      }))
  })

/** Every VM, once a daemon that has just started is done with recovering them. */
export const recovered = Effect.gen(function*() {
  yield* recovery
  const operations = yield* Operations
  const registry = yield* Registry
  yield* Effect.yieldNow().pipe(
    Effect.repeat({ until: () => registry.cells().every(({ record }) => operations.doing(record.spec.id) === undefined) })
  )
  return registry.cells()
})
