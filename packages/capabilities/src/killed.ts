import type { ChildProcess } from "node:child_process"
import * as Effect from "effect/Effect"

/** How long a killed command may take to be gone: only one that waits for a broken disk takes longer than an instant. */
const GONE = "10 seconds"

/** Kills a command and waits until it is gone: from then on it writes no more, and what it wrote can be removed. */
export const killed = (child: ChildProcess): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  }).pipe(Effect.timeout(GONE), Effect.ignore)
