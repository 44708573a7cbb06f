import type * as fs from "node:fs/promises"
import { type AgentRefused, exec, type ExecStream, type Start, untilExit } from "@banger/capabilities/vsock/agent-client.ts"
import { GuestFrame, HostFrame } from "@banger/capabilities/vsock/agent-frames.ts"
import type { AgentUnreachable } from "@banger/capabilities/vsock/connect.ts"
import { file, type FileFailed } from "@banger/capabilities/files.ts"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** Where a script lies in the guest: a tmpfs, so that it does not become part of the image. */
const PLACE = "/run/banger/script"

/** A command in a guest ended otherwise than with status 0. */
export class ScriptFailed extends Schema.TaggedError<ScriptFailed>()("ScriptFailed", { status: Schema.Int, problem: Schema.String }) {
  override get message() {
    return this.problem === "" ? `the script ended with status ${this.status}` : this.problem
  }
}

/** Bytes of output that are kept of a build: a guest may print without end. */
const MAX_LOG = 64 << 20

/** Takes a script's output, and no more than a disk can bear. */
export const logOf = (handle: fs.FileHandle) => {
  let left = MAX_LOG
  return (output: Uint8Array) =>
    file("the build's log", async () => {
      if (left <= 0) return
      await handle.write(output.subarray(0, left))
      left -= output.length
      if (left <= 0) await handle.write(`\nbanger: the rest of the output is left out: it is longer than ${MAX_LOG >> 20} MiB\n`)
    })
}
type Log = ReturnType<typeof logOf>

type Failure = AgentUnreachable | AgentRefused | FileFailed | ScriptFailed

/** Follows a command to its end; what it prints, both streams as they come, goes into the log. */
const follow = (stream: ExecStream, log: Log): Effect.Effect<void, Failure> =>
  untilExit(stream, ({ payload, type }) => type === GuestFrame.stdout || type === GuestFrame.stderr ? log(payload) : Effect.void).pipe(
    Effect.flatMap((ended) => ended.status === 0 ? Effect.void : Effect.fail(new ScriptFailed(ended)))
  )

/** What the kernel would do with the script's first line; without one `sh` runs it, and ends at the first command that fails. */
export const interpreter = (script: string): ReadonlyArray<string> => {
  const [, program, argument] = /^#![ \t]*(\S+)(?:[ \t]+(\S.*?))?[ \t]*(?:\n|$)/.exec(script) ?? []
  if (program === undefined) return ["/bin/sh", "-e"]
  return argument === undefined ? [program] : [program, argument]
}

/**
 * Runs a script as root in the guest behind a socket. Fails with `ScriptFailed` when its status is not 0. When the fiber is
 * interrupted the guest hangs the script up.
 */
export const runScript = (socket: string, script: string, env: Readonly<Record<string, string>>, log: Log): Effect.Effect<void, Failure> => {
  const start = (argv: ReadonlyArray<string>): Start => ({ argv, env, cwd: "", user: "root", tty: null, timeoutMs: 0 })
  const put = Effect.gen(function*() {
    const stream = yield* exec(socket, start(["/bin/sh", "-c", `umask 077; mkdir -p "\${0%/*}" && cat > "$0"`, PLACE]))
    const content = Buffer.from(script)
    if (content.length > 0) yield* stream.send(HostFrame.stdin, content)
    yield* stream.send(HostFrame.stdin, Buffer.alloc(0))
    yield* follow(stream, log)
  })
  const run = Effect.gen(function*() {
    const stream = yield* exec(socket, start([...interpreter(script), PLACE]))
    yield* stream.send(HostFrame.stdin, Buffer.alloc(0))
    yield* follow(stream, log)
  })
  return Effect.zipRight(Effect.scoped(put), Effect.scoped(run))
}
