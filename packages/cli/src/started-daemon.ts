import * as net from "node:net"
import * as NodeSocket from "@effect/platform-node-shared/NodeSocket"
import * as Socket from "@effect/platform/Socket"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** How long a daemon may take to start. systemd accepts connections for it at once, also for one that fails at each start. */
const PATIENCE = "60 seconds"

/** The RPC protocol's own ping, and what every server answers. */
const PING = `{"_tag":"Ping"}\n`

const failed = (cause: unknown) => new Socket.SocketGenericError({ reason: "Open", cause })

/** Connected to a daemon that has answered. */
const answered = (path: string) =>
  Effect.flatMap(
    Effect.acquireRelease(Effect.sync(() => net.createConnection({ path })), (socket) => Effect.sync(() => void socket.destroySoon())),
    (socket) =>
      Effect.async<net.Socket, Socket.SocketError>((resume) => {
        socket.once("connect", () => socket.write(PING))
        // Nothing comes unasked: no byte is lost between this listener and the client's.
        socket.once("data", () => resume(Effect.succeed(socket)))
        socket.once("end", () => resume(Effect.fail(failed("closed before it answered"))))
        socket.on("error", (cause) => resume(Effect.fail(failed(cause))))
      }).pipe(Effect.timeoutFail({ duration: PATIENCE, onTimeout: () => failed("no answer") }))
  )

/**
 * The daemon's socket, open once the daemon answers. The RPC client gives a silent server up after its second ping, 10 s
 * apart, which a slow host needs to start the daemon; and a request that was sent by then would be carried out all the same.
 */
export const layer = (path: string) => Layer.effect(Socket.Socket, NodeSocket.fromDuplex(answered(path)))
