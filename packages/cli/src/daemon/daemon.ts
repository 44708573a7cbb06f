import * as RpcClient from "@effect/rpc/RpcClient"
import type { RpcClientError } from "@effect/rpc/RpcClientError"
import type * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DaemonApi } from "@banger/domain/api.ts"
import { unreachable } from "@banger/domain/unreachable.ts"
import { type DaemonUnreachable, daemonUnreachable } from "../failure/errors.ts"
import * as Connection from "./connection.ts"

/** bangerd, over its socket. */
export class Daemon extends Context.Tag("@banger/cli/Daemon")<
  Daemon,
  RpcClient.RpcClient<RpcGroup.Rpcs<typeof DaemonApi>, RpcClientError>
>() {
  static readonly layer = Layer.provide(Layer.scoped(Daemon, RpcClient.make(DaemonApi, { disableTracing: true })), Connection.layer)
}

/** Every way in which the daemon can be lost, as one error. */
export const reach: <A, E, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, Exclude<E, RpcClientError> | DaemonUnreachable, R> =
  unreachable(daemonUnreachable)

/** Gives a command its connection to the daemon. */
export const withDaemon = <A, E, R>(use: Effect.Effect<A, E, R>) =>
  reach(Effect.provide(use, Daemon.layer))
