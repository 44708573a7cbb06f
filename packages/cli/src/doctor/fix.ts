import { statSync } from "node:fs"
import * as Effect from "effect/Effect"
import type { Finding } from "@banger/domain/readiness.ts"
import { Misuse } from "../command-line/misuse.ts"
import { typed } from "../failure/failure.ts"
import { daemonSocket } from "../host/paths.ts"
import { canAsk, confirm } from "../output/confirm.ts"
import { say } from "../output/text.ts"
import { attached } from "../session/ssh.ts"
import { subject } from "./findings.ts"

/** The command lines that mend what was found, each once, with what it is for. */
export const mends = (found: ReadonlyArray<Finding>): ReadonlyMap<string, string> =>
  new Map(found.flatMap((finding) => {
    const { verdict } = finding
    return verdict._tag !== "Ready" && verdict.runs && /^[\x20-\x7e]+$/.test(verdict.fix) ? [[typed(verdict.fix), `${subject(finding)}: ${verdict.problem}`] as const] : []
  }))

const isAnothers = (socket: string): boolean => {
  const stat = statSync(socket, { throwIfNoEntry: false })
  return stat !== undefined && stat.uid !== process.getuid?.()
}

/** Runs them, each after a question unless `unasked`; gives how many ran. One that fails is told, and the next one tried. */
export const fix = (found: ReadonlyArray<Finding>, unasked: boolean) =>
  Effect.gen(function*() {
    // The commands come from the daemon, which must not get a shell of anybody else's this way; they bring their own sudo.
    if (isAnothers(daemonSocket())) return yield* Effect.fail(new Misuse("--fix runs commands as this user, and the daemon is another's", "banger doctor --fix, as banger's owner and without sudo"))
    const commands = mends(found)
    if (commands.size > 0 && !unasked && !canAsk()) {
      return yield* Effect.fail(new Misuse("--fix asks before each command, and nobody can answer here", "banger doctor --fix --yes runs them all"))
    }
    let ran = 0
    for (const [command, why] of commands) {
      yield* say(why)
      if (!unasked && !(yield* confirm(`run: ${command}`))) continue
      if (unasked) yield* say(`run: ${command}`)
      const status = yield* attached("sh", ["-c", command])
      if (status !== 0) yield* say(`it exited with ${status}`)
      ran += 1
    }
    return ran
  })
