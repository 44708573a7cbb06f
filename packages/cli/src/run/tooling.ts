import * as Effect from "effect/Effect"
import { exec } from "@banger/capabilities/vsock/agent-client.ts"
import { GuestFrame } from "@banger/capabilities/vsock/agent-frames.ts"
import { basename } from "node:path"
import type { Workspace } from "../workspace/workspace.ts"

const FILES = new Set([".mise.toml", "mise.toml", ".tool-versions"])

/** $1 the repository's directory, $2 the log. The redirected, detached child outlives the exec that started it. */
const SCRIPT = `command -v mise >/dev/null || exit 0
mkdir -p "$(dirname "$2")" && cd "$1" && setsid mise install >"$2" 2>&1 </dev/null &`

/** Has the guest install the repository's tools in the background, if it asks for some. It never delays or fails the command. */
export const installTools = (socket: string, workspace: Workspace): Effect.Effect<void> => {
  if (!workspace.members.some(({ path }) => FILES.has(path.toString("latin1")))) return Effect.void
  const log = `/root/.cache/banger/vm-run-tooling-${basename(workspace.target)}.log`
  const start = {
    argv: ["/bin/sh", "-lc", SCRIPT, "tooling", workspace.target, log],
    env: { MISE_TRUSTED_CONFIG_PATHS: workspace.target, MISE_YES: "1" },
    cwd: workspace.target, user: "root", tty: null, timeoutMs: 10_000
  }
  return Effect.scoped(Effect.flatMap(exec(socket, start), ({ next }) =>
    Effect.repeat(next, { until: (frame) => frame === undefined || frame.type === GuestFrame.exit }))).pipe(Effect.ignore)
}
