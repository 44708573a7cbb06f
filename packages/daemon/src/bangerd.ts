import { mkdirSync } from "node:fs"
import { homedir } from "node:os"
import * as ActivatedSocket from "@banger/capabilities/activated-socket.ts"
import * as Clocks from "@banger/capabilities/clock/watch.ts"
import type { Complete } from "@banger/capabilities/compose.ts"
import * as Dns from "@banger/capabilities/dns/server.ts"
import * as FirecrackerApi from "@banger/capabilities/firecracker/api.ts"
import * as VmExits from "@banger/capabilities/firecracker/exits.ts"
import * as GuestKeys from "@banger/capabilities/guest-config/keys.ts"
import * as GuestListener from "@banger/capabilities/guest-config/listener.ts"
import * as GuestOwner from "@banger/capabilities/guest-config/owner.ts"
import { Helper } from "@banger/capabilities/helper.ts"
import * as ImageStore from "@banger/capabilities/image-store/live.ts"
import { DAEMON_STATE, EXITS, HELPER_SOCKET } from "@banger/capabilities/paths.ts"
import type { HostServices } from "@banger/capabilities/pipeline.ts"
import { freeBytes } from "@banger/capabilities/reserve.ts"
import { DaemonApi } from "@banger/domain/api.ts"
import type { Failure } from "@banger/domain/failure.ts"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as RpcServer from "@effect/rpc/RpcServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Catalog } from "./catalog.ts"
import { collection } from "./collection.ts"
import { Config } from "./config.ts"
import { catalogHandlers } from "./handlers/catalog.ts"
import { hostHandlers } from "./handlers/host.ts"
import { vmHandlers } from "./handlers/vm.ts"
import { HostFacts } from "./host-facts.ts"
import { ImageMaker } from "./images/maker.ts"
import { logging } from "./logging.ts"
import { Pool } from "./pool.ts"
import { CatalogStore } from "./store/catalog-store.ts"
import * as Database from "./store/database.ts"
import { VmStore } from "./store/vm-store.ts"
import { strangers } from "./strangers.ts"
import { Events } from "./vms/events.ts"
import { SshFiles } from "./vms/ssh-files.ts"
import { Lifecycle } from "./vms/lifecycle.ts"
import { Operations } from "./vms/operations.ts"
import { recovery } from "./vms/recovery.ts"
import { Registry } from "./vms/registry.ts"
import { makeRoom } from "./vms/room.ts"
import { VmRuntime } from "./vms/runtime.ts"

interface Settings {
  /** The owner's configuration: ~/.config/banger/config.toml. */
  readonly config: string
}

/** The host as the pipeline's capabilities see it. */
const hostServices = ({ config }: Settings) =>
  Layer.mergeAll(
    FirecrackerApi.layer,
    VmExits.layer(EXITS),
    GuestListener.layer,
    Clocks.layer,
    Layer.unwrapEffect(Effect.map(Config, ({ sshKey }) => GuestKeys.layer(sshKey))),
    GuestOwner.layer(homedir()),
    Layer.unwrapEffect(Effect.map(HostFacts, ({ helper }) => Dns.layer(Effect.map(helper, ({ cidr }) => cidr))))
  ).pipe(
    Layer.provideMerge(Layer.merge(HostFacts.layer, Config.layer(config))),
    Layer.provideMerge(Helper.layer(HELPER_SOCKET))
  )

/** Every VM's record and what it is made of. Opening a database in a missing directory would be a defect. */
const state = Layer.unwrapEffect(Effect.sync(() => {
  mkdirSync(`${DAEMON_STATE}/vms`, { recursive: true, mode: 0o700 })
  return Layer.mergeAll(VmStore.layer(`${DAEMON_STATE}/vms`), CatalogStore.layer).pipe(
    Layer.provide(Database.layer(Database.DATABASE))
  )
}))

/**
 * A daemon for a pipeline: `bangerd(pipeline)` is the one that banger installs; docs/custom-capabilities.md builds
 * another. `services` provides what the pipeline's own capabilities need beyond the standard ones.
 */
export const bangerd = <P, E extends Failure, H>(
  pipeline: Complete<P, E, H>,
  settings: Settings,
  ...[services]: [Exclude<H, HostServices>] extends [never] ? [] : [services: Layer.Layer<Exclude<H, HostServices>>]
) => {
  const vms = Lifecycle.layer.pipe(
    Layer.provideMerge(Layer.mergeAll(Operations.layer, Pool.layer, SshFiles.layer(DAEMON_STATE), VmRuntime.layer(pipeline))),
    Layer.provideMerge(Registry.layer),
    Layer.provideMerge(Events.layer(`${DAEMON_STATE}/vms`))
  )
  const layer = Layer.mergeAll(vmHandlers, catalogHandlers, hostHandlers).pipe(
    Layer.provideMerge(Layer.scopedDiscard(Effect.zipRight(collection, makeRoom(freeBytes)))),
    Layer.provideMerge(Layer.scopedDiscard(recovery)),
    Layer.provideMerge(ImageMaker.layer),
    Layer.provideMerge(Catalog.layer),
    Layer.provideMerge(vms),
    Layer.provideMerge(state),
    Layer.provideMerge(ImageStore.layer),
    Layer.provideMerge((services ?? Layer.empty) as Layer.Layer<Exclude<H, HostServices>>),
    Layer.provideMerge(hostServices(settings))
  )
  return { config: settings.config, names: pipeline.names, layer }
}

/** Serves a daemon on the socket that systemd holds open, until it is stopped. */
const run = <E, R>(daemon: Layer.Layer<R, E>) =>
  Layer.launch(
    RpcServer.layer(DaemonApi, { disableFatalDefects: true, spanPrefix: "bangerd" }).pipe(
      Layer.provide(daemon),
      Layer.provide(RpcServer.layerProtocolSocketServer),
      Layer.provide([ActivatedSocket.layer({ activated: true }), RpcSerialization.layerNdjson])
    )
  )

/** A daemon's main: it serves; asked with `strangers`, it says in one line of JSON what of the VMs that are here it could not undo. */
export const serve = <E, R>({ config, layer, names }: { readonly config: string; readonly names: ReadonlyArray<string>; readonly layer: Layer.Layer<R, E> }) =>
  process.argv[2] === "strangers"
    ? Effect.flatMap(strangers(`${DAEMON_STATE}/vms`, names), (found) => Console.log(JSON.stringify(found)))
    : Effect.provide(run(layer), logging(config))
