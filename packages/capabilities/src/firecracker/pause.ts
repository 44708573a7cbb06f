import * as Effect from "effect/Effect"
import type { VmId } from "@banger/domain/ids.ts"
import { apiSocket } from "../paths.ts"
import { type Connection, FirecrackerApi, FirecrackerFault } from "./contract.ts"
import { PAUSE, RESUME } from "./machine.ts"

/** A Firecracker that runs answers within milliseconds; an emulated host takes a second. */
const TIMEOUT = "5 seconds"

const asked = <A>(vm: VmId, ask: (connection: Connection) => Effect.Effect<A, FirecrackerFault>): Effect.Effect<A, FirecrackerFault, FirecrackerApi> =>
  Effect.flatMap(FirecrackerApi, (api) => Effect.flatMap(api.connect(apiSocket(vm)), ask)).pipe(
    Effect.scoped,
    Effect.timeoutFail({ duration: TIMEOUT, onTimeout: () => new FirecrackerFault({ request: "a connection", fault: `it does not answer within ${TIMEOUT}` }) })
  )

/** Both succeed when the VM is in that state already. */
export const pause = (vm: VmId) => asked(vm, ({ patch }) => patch(PAUSE))
export const resume = (vm: VmId) => asked(vm, ({ patch }) => patch(RESUME))

export const isPaused = (vm: VmId) => asked(vm, ({ state }) => Effect.map(state, (now) => now === "Paused"))
