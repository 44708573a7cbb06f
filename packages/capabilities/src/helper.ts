import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as RpcClient from "@effect/rpc/RpcClient"
import type { RpcClientError } from "@effect/rpc/RpcClientError"
import type * as RpcGroup from "@effect/rpc/RpcGroup"
import * as RpcMiddleware from "@effect/rpc/RpcMiddleware"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { HelperUnreachable } from "@banger/domain/errors.ts"
import { type Unreachable, reasonOf, unreachable } from "@banger/domain/unreachable.ts"
import { DmOps } from "./dm-snapshot/ops.ts"
import { FirecrackerOps } from "./firecracker/ops.ts"
import { HostOps } from "./host-ops.ts"
import { ImageStoreOps } from "./image-store/ops.ts"
import { monotonicMillis, within } from "./monotonic.ts"
import { NatOps } from "./nat/ops.ts"
import { OpKind } from "./op-kind.ts"
import { TapOps } from "./tap-pool/ops.ts"
import { VsockOps } from "./vsock/ops.ts"
import { WorkDiskOps } from "./work-disk/ops.ts"

/** Around every operation of the helper: one at a time for each thing it is about, to its end, with an audit line. */
export class Guarded extends RpcMiddleware.Tag<Guarded>()("@banger/capabilities/Guarded", { wrap: true }) {}

/** Everything that runs as root, in one group: the whole privilege seam. */
export class HelperOps
  extends HostOps.merge(TapOps, NatOps, DmOps, WorkDiskOps, VsockOps, FirecrackerOps, ImageStoreOps).middleware(Guarded)
{}

type Client<E> = RpcClient.RpcClient<RpcGroup.Rpcs<typeof HelperOps>, E>

/** How long the helper may take for what does not depend on bytes: to look, and above what any command of an operation may take. */
const PATIENCE = { nothing: "30 seconds", anything: "90 seconds" } as const

const patience = ({ changes, lasting }: OpKind["Type"]) =>
  lasting ? undefined : changes === "nothing" ? PATIENCE.nothing : PATIENCE.anything

/** Of a connection that broke. A restarted helper is back in a second or two, behind the socket that systemd holds; one that is "not running" has no socket. */
const WENT_AWAY: Unreachable = "went away"
const restart = Schedule.spaced("100 millis").pipe(within("10 seconds"))

/** Since when no call was answered, by the monotonic clock; by whoever called. */
interface Away {
  since: number | undefined
}

/** Tells since when the helper is away: all who wait for it wait for the end of the same outage. */
const dated = (away: Away) => <A, E, R>(call: Effect.Effect<A, E, R>) => {
  const answered = Effect.sync(() => void (away.since = undefined))
  return call.pipe(
    Effect.tapBoth({ onSuccess: () => answered, onFailure: (error) => error instanceof HelperUnreachable ? Effect.void : answered }),
    Effect.catchIf((error): error is E & HelperUnreachable => error instanceof HelperUnreachable, ({ problem }) =>
      Effect.flatMap(monotonicMillis, (now) => new HelperUnreachable({ problem, since: away.since ??= now })))
  )
}

/** Asks again what changes nothing, since the helper may have restarted before it answered; gives up what hangs. */
const waiting = (tag: string, kind: OpKind["Type"]) => <A, E, R>(call: Effect.Effect<A, E, R>) => {
  const duration = patience(kind)
  const asked = kind.changes !== "nothing" ? call : Effect.retry(call, { schedule: restart, while: (error) => error instanceof HelperUnreachable && error.problem === WENT_AWAY })
  return duration === undefined ? asked : Effect.timeoutFail(asked, { duration, onTimeout: () => new HelperUnreachable({ problem: `${tag} takes longer than ${duration}` }) })
}

/** A line each of the log's level debug, in the form of the helper's own audit. */
const logged = (op: string) => <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const began = performance.now()
    return Effect.onExit(call, (exit) =>
      Effect.logDebug("root helper").pipe(Effect.annotateLogs({
        op,
        result: Exit.isSuccess(exit) ? "ok" : Cause.pretty(exit.cause).split("\n")[0],
        ms: Math.round(performance.now() - began)
      })))
  })

/** Gives every call of a client one typed error for a helper that is away, or does not answer in time. */
export const reaching = <C extends object>(client: C, path = "", away: Away = { since: undefined }): C =>
  new Proxy(client, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key)
      const tag = `${path}${String(key)}`
      if (typeof member === "function") {
        return (...args: ReadonlyArray<unknown>) => {
          const rpc = HelperOps.requests.get(tag)
          const call = unreachable((reason) => new HelperUnreachable({ problem: reason }))(Reflect.apply(member, target, args))
          return logged(tag)(dated(away)(rpc === undefined ? call : waiting(tag, Context.unsafeGet(rpc.annotations, OpKind))(call)))
        }
      }
      return typeof member === "object" && member !== null ? reaching(member, `${tag}.`, away) : member
    }
  })

/** Holds back what was not sent while the helper restarts, whatever it changes: the library would refuse such a call at once. */
const throughRestarts = Effect.map(RpcClient.Protocol, (protocol) =>
  RpcClient.Protocol.of({
    ...protocol,
    send: (request, transferables) =>
      // Suspended, because the library looks at its connection when send is called.
      Effect.retry(Effect.suspend(() => protocol.send(request, transferables)), { schedule: restart, while: (error) => request._tag === "Request" && reasonOf(error) === WENT_AWAY })
  }))

/** The root helper, as the daemon sees it. */
export class Helper extends Context.Tag("@banger/capabilities/Helper")<Helper, Client<HelperUnreachable>>() {
  /** From a client of any transport. */
  static readonly from = <E, R>(client: Effect.Effect<Client<RpcClientError>, E, R>) =>
    // The proxy turns every RpcClientError into HelperUnreachable, which the client's own type cannot express.
    Layer.scoped(Helper, Effect.map(client, (raw) => reaching(raw) as Client<never> as Client<HelperUnreachable>))

  static readonly layer = (path: string) =>
    Helper.from(RpcClient.make(HelperOps)).pipe(
      Layer.provide(Layer.effect(RpcClient.Protocol, throughRestarts)),
      // The library's own pauses grow with every restart of the helper that this process has seen.
      Layer.provide(RpcClient.layerProtocolSocket({ retrySchedule: Schedule.spaced("200 millis") })),
      Layer.provide([NodeSocket.layerNet({ path }), RpcSerialization.layerNdjson])
    )
}
