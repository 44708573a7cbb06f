import * as Net from "node:net"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as SocketServer from "@effect/platform/SocketServer"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"

/** The first descriptor that systemd passes to a service it activates (sd_listen_fds). */
const SD_LISTEN_FDS_START = 3

/**
 * The descriptors that systemd passes to this process (sd_listen_fds), by the name that their unit gives them with
 * FileDescriptorName=; those of one unit come in the order of its Listen lines.
 */
export const passed = (environment: NodeJS.ProcessEnv, pid: number) => (name: string): ReadonlyArray<number> => {
  // A child inherits the variables, and not the descriptors.
  if (environment["LISTEN_PID"] !== String(pid)) return []
  const names = environment["LISTEN_FDNAMES"]?.split(":") ?? []
  return Array.from({ length: Number(environment["LISTEN_FDS"] ?? 0) }, (_, at) => SD_LISTEN_FDS_START + at).filter((_, at) => names[at] === name)
}

/** Of this process. */
export const descriptors = (name: string) => passed(process.env, process.pid)(name)

/** What bangerd.socket and bangerd-root.socket call theirs. */
const RPC = "rpc"

/**
 * A socket server on what systemd holds open for us, so that no connection is refused while the service restarts; a
 * `path` is listened on instead where there is no systemd, in tests.
 */
export const layer = (listen: { readonly activated: true } | { readonly path: string }) =>
  Layer.scoped(SocketServer.SocketServer, Effect.gen(function*() {
    // Connections that arrive before `run` wait here, unread.
    const early: Array<Net.Socket> = []
    let accept = (connection: Net.Socket): void => void early.push(connection)
    const server = yield* Effect.acquireRelease(
      Effect.async<Net.Server, SocketServer.SocketServerError>((resume) => {
        const server = Net.createServer((connection) => accept(connection))
        server.once("error", (cause) => resume(Effect.fail(new SocketServer.SocketServerError({ reason: "Open", cause }))))
        server.listen("path" in listen ? { path: listen.path } : { fd: descriptors(RPC)[0] ?? SD_LISTEN_FDS_START }, () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
    )
    return SocketServer.SocketServer.of({
      address: { _tag: "UnixAddress", path: "path" in listen ? listen.path : "systemd" },
      run: (handler) =>
        Effect.scoped(Effect.gen(function*() {
          const connections = yield* FiberSet.make()
          const fork = yield* FiberSet.runtime(connections)<Effect.Effect.Context<ReturnType<typeof handler>>>()
          accept = (connection) => {
            // A peer that vanishes is no error of ours; the socket's close ends the handler.
            connection.on("error", () => connection.destroy())
            fork(
              NodeSocket.fromDuplex(Effect.acquireRelease(Effect.succeed(connection), (open) => Effect.sync(() => void open.destroySoon()))).pipe(
                Effect.flatMap(handler),
                Effect.exit
              )
            )
          }
          early.splice(0).forEach(accept)
          return yield* Effect.async<never, SocketServer.SocketServerError>((resume) => {
            server.once("error", (cause) => resume(Effect.fail(new SocketServer.SocketServerError({ reason: "Unknown", cause }))))
          })
        }))
    })
  }))
