import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CannotRemove } from "../lease.ts"
import { MemoryHost } from "../memory-host.ts"
import { GuestKeys, GuestListener, GuestOwner, KeysFailed } from "./contract.ts"

/** A guest that is ready at once. */
const listener = Layer.effect(GuestListener, Effect.map(MemoryHost, ({ objects }) => ({
  serve: (socket) =>
    Effect.acquireRelease(
      Effect.sync(() => void objects.add(`listener ${socket}`)),
      () => Effect.sync(() => void objects.delete(`listener ${socket}`))
    ).pipe(Effect.as(Effect.void))
})))

const keys = Layer.effect(GuestKeys, Effect.map(MemoryHost, (host) => ({
  ensure: (vm) => host.add(`estate keys ${vm}`).pipe(Effect.mapError((error) => new KeysFailed({ problem: error.message }))),
  read: () => Effect.succeed({ privateKey: "private", publicKey: "public", authorized: "authorized" }),
  remove: (vm) => host.delete(`estate keys ${vm}`).pipe(Effect.mapError((error) => new CannotRemove({ what: "ssh host key", problem: error.message }))),
  owners: Effect.succeed("/nonexistent/id_ed25519")
})))

const owner = Layer.succeed(GuestOwner, { read: Effect.succeed({ timezone: "Europe/Vienna", git: new Map([["user.name", "memory"]]) }) })

export const layer = Layer.mergeAll(listener, keys, owner)
