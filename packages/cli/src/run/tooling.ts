import * as Effect from "effect/Effect"
import { exec } from "@banger/capabilities/vsock/agent-client.ts"
import { GuestFrame } from "@banger/capabilities/vsock/agent-frames.ts"
import { basename } from "node:path"
import type { Member } from "../workspace/listing.ts"

const FILES = new Set([".mise.toml", "mise.toml", ".tool-versions"])

/** $1 the directory, $2 the log. The redirected, detached child outlives the exec that started it. */
const SCRIPT = `command -v mise >/dev/null || exit 0
mkdir -p "$(dirname "$2")" && cd "$1" && setsid mise install >"$2" 2>&1 </dev/null &`

/** Has the guest install the tools that a directory asks for, if it does, in the background. It never delays or fails the command. */
export const installTools = (socket: string, { members, target }: { readonly members: ReadonlyArray<Member>; readonly target: string }): Effect.Effect<void> => {
  if (!members.some(({ path }) => FILES.has(path.toString("latin1")))) return Effect.void
  const log = `/root/.cache/banger/vm-run-tooling-${basename(target)}.log`
  const start = {
    argv: ["/bin/sh", "-lc", SCRIPT, "tooling", target, log],
    env: { MISE_TRUSTED_CONFIG_PATHS: target, MISE_YES: "1" },
    cwd: target, user: "root", tty: null, timeoutMs: 10_000
  }
  return Effect.scoped(Effect.flatMap(exec(socket, start), ({ next }) =>
    Effect.repeat(next, { until: (frame) => frame === undefined || frame.type === GuestFrame.exit }))).pipe(Effect.ignore)
}
