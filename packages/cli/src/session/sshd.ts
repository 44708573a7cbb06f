import * as Effect from "effect/Effect"
import { type AgentRefused, sshServer } from "@banger/capabilities/vsock/agent-client.ts"
import type { AgentUnreachable } from "@banger/capabilities/vsock/connect.ts"
import type { VmView } from "@banger/domain/vm.ts"
import type { LocalFailure } from "../failure/errors.ts"
import { noSshd } from "./ssh.ts"

/** Seconds that an agent is asked to wait for an sshd at a time; it takes up to 60. */
const AT_A_TIME = 30

/** Returns once an sshd listens in the guest; fails where its image has none. Where no init starts one the agent does not wait, so this does. */
export const sshdListens = (view: VmView): Effect.Effect<void, AgentUnreachable | AgentRefused | LocalFailure> =>
  Effect.flatMap(sshServer(view.vsock, AT_A_TIME, ""), ({ state }) => {
    if (state === "listening") return Effect.void
    if (state === "missing") return noSshd(view)
    return Effect.delay(Effect.suspend(() => sshdListens(view)), "1 second")
  })
