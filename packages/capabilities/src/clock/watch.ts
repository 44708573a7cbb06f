import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { VmId } from "@banger/domain/ids.ts"
import { vsockSocket } from "../paths.ts"
import { type AgentRefused, setClock } from "../vsock/agent-client.ts"
import type { AgentUnreachable } from "../vsock/connect.ts"
import { Clocks } from "./contract.ts"

/** Milliseconds by which wall clock and monotonic clock part when the host's clock is set, or the host slept: the latter stands still. */
const JUMP = 200

/** Nothing tells Node of a clock that was set, so we look. */
const LOOK = "1 second"

/** A guest's clock does not follow the corrections that a time server makes to the host's, so it is set from time to time. Milliseconds. */
const DRIFT = 600_000

/** The host's clocks and the way to a guest's. */
export interface Times {
  readonly wall: () => number
  readonly monotonic: () => number
  readonly set: (vm: VmId, unixMs: number) => Effect.Effect<void, AgentUnreachable | AgentRefused>
}

const live: Times = {
  wall: Date.now,
  monotonic: () => performance.now(),
  set: (vm, unixMs) => setClock(vsockSocket(vm), unixMs)
}

interface Guest {
  due: boolean
  asked: boolean
}

export const layerOf = ({ monotonic, set, wall }: Times) =>
  Layer.scoped(Clocks, Effect.gen(function*() {
    const guests = new Map<VmId, Guest>()

    /** Once for all who find it due. What a guest does not answer (it is paused, or going down) stays due; one whose agent knows no such call is let be. */
    const ask = (vm: VmId, guest: Guest) =>
      Effect.suspend(() => {
        if (guest.asked || !guest.due) return Effect.void
        guest.asked = true
        guest.due = false
        return set(vm, wall()).pipe(
          Effect.catchTags({
            AgentUnreachable: () => Effect.sync(() => { guest.due = true }),
            AgentRefused: ({ message, status }) => status === 404 ? Effect.void : Effect.logWarning(message).pipe(Effect.annotateLogs({ vm }))
          }),
          Effect.ensuring(Effect.sync(() => { guest.asked = false }))
        )
      })

    const follow = (vm: VmId) =>
      Effect.suspend(() => {
        const guest = guests.get(vm)
        if (guest === undefined) return Effect.void
        guest.due = true
        return ask(vm, guest)
      })

    let offset = wall() - monotonic()
    let last = monotonic()
    const look = Effect.gen(function*() {
      const jumped = wall() - monotonic() - offset
      if (Math.abs(jumped) > JUMP) yield* Effect.logInfo(`the host's clock jumped by ${Math.round(jumped)} ms: the guests' follow`)
      if (Math.abs(jumped) > JUMP || monotonic() - last > DRIFT) {
        offset += jumped
        last = monotonic()
        for (const guest of guests.values()) guest.due = true
      }
      // None waits for another, or keeps us from looking.
      for (const [vm, guest] of guests) if (guest.due) yield* Effect.forkScoped(ask(vm, guest))
    })
    yield* look.pipe(Effect.repeat(Schedule.spaced(LOOK)), Effect.forkScoped)

    return {
      attach: (vm) =>
        Effect.gen(function*() {
          const guest: Guest = { due: true, asked: false }
          yield* Effect.acquireRelease(Effect.sync(() => void guests.set(vm, guest)), () => Effect.sync(() => void guests.delete(vm)))
          yield* Effect.forkScoped(ask(vm, guest))
        }),
      follow
    }
  }))

export const layer = layerOf(live)
