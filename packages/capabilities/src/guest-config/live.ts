import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { VmSpec } from "@banger/domain/vm.ts"
import type { Capability } from "../capability.ts"
import { GuestPatches } from "../compose.ts"
import { type CannotRemove, Lease } from "../lease.ts"
import { HOST_PORT, Vsock } from "../vsock/contract.ts"
import { checks } from "./check.ts"
import { GuestConfig, type GuestFailed, GuestKeys, GuestListener, GuestOwner, type KeysFailed } from "./contract.ts"
import { compose, type GuestConflict } from "./document.ts"
import { guest, keyFiles, ownerFiles } from "./guest.ts"

const NAME = "guest-config"

/** A VM's own options: whether its guest is told of the owner. */
const Options = Schema.Struct({ owner: Schema.optionalWith(Schema.Boolean, { default: () => true }) })

const NOBODY = { timezone: "", git: new Map<string, string>() }

/** An attachment, not a lease. A guest asks once, while it boots: one that is adopted has its answer. */
const layer = (spec: VmSpec) =>
  Layer.scoped(GuestConfig, Effect.gen(function*() {
    const { mode } = yield* Lease
    if (mode === "adopt") return { ready: Effect.void }
    const patches = yield* GuestPatches
    const options = Option.getOrElse(Schema.decodeUnknownOption(Options)(spec.extra[NAME] ?? {}), () => ({ owner: true }))
    const [keys, owner] = yield* Effect.all([
      Effect.flatMap(GuestKeys, (service) => service.read(spec.id)),
      options.owner ? Effect.flatMap(GuestOwner, ({ read }) => read) : Effect.succeed(NOBODY)
    ], { concurrency: 2 })
    const document = yield* compose(spec, [...patches, ["ssh keys", keyFiles(keys)], ["owner", ownerFiles(owner.git)]])
    const { socket } = yield* Vsock
    const listener = yield* GuestListener
    const now = Effect.map(Clock.currentTimeMillis, (ms) => ({ ...document, timezone: owner.timezone, unixTime: Math.floor(ms / 1000) }))
    return { ready: yield* listener.serve(`${socket}_${HOST_PORT}`, now) }
  }))

export const guestConfig: Capability<
  GuestConfig,
  GuestConflict | GuestFailed | KeysFailed,
  GuestPatches | Vsock | GuestKeys | GuestListener | GuestOwner,
  GuestKeys
> = {
  name: NAME,
  estate: {
    ensure: ({ id }) => Effect.flatMap(GuestKeys, (keys) => keys.ensure(id)),
    remove: ({ id }): Effect.Effect<void, CannotRemove, GuestKeys> => Effect.flatMap(GuestKeys, (keys) => keys.remove(id))
  },
  layer,
  reclaim: () => Effect.void,
  guest,
  checks
}
