import { type ChildProcess, spawn } from "node:child_process"
import { accessSync, constants } from "node:fs"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { onSignals } from "../host/signals.ts"
import { rowCounter } from "./screen.ts"
import { canRedraw, columnsOf, rowsOf } from "./terminal.ts"
import { print, type Write } from "./text.ts"

/** The status of a shell that finds no such program, or may not run it. */
const NOT_FOUND = [126, 127]

const has = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(":").some((directory) => {
    try {
      accessSync(`${directory}/${program}`, constants.X_OK)
      return true
    } catch {
      return false
    }
  })

/** The command line of the pager that long text goes through; `undefined` for none. An empty variable, or `cat`, means none. */
const pagerCommand = (): string | undefined => {
  const chosen = process.env["BANGER_PAGER"] ?? process.env["PAGER"]
  if (chosen !== undefined) return /^\s*(cat\s*)?$/.test(chosen) ? undefined : chosen
  return has("less") ? "less -FRX" : undefined
}

/** A pager that runs: it has the terminal, and decides what ^C means. `closed` tells its status. */
const started = (command: string, closed: Deferred.Deferred<number | null>): Effect.Effect<ChildProcess, never, Scope.Scope> =>
  Effect.gen(function*() {
    yield* onSignals((signal) => signal === "SIGINT" ? undefined : "pass")
    return yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn("sh", ["-c", command], { stdio: ["pipe", "inherit", "inherit"] })
        // Whoever quits before the end has read enough.
        child.stdin.on("error", () => {})
        child.on("error", () => Deferred.unsafeDone(closed, Effect.succeed(127)))
        child.on("close", (status) => Deferred.unsafeDone(closed, Effect.succeed(status)))
        return child
      }),
      (child) => Effect.sync(() => void child.kill("SIGTERM"))
    )
  })

/**
 * Text for stdout that may be long: what is more than the terminal's screen goes through the user's pager, anything else goes
 * straight. A reader that leaves the pager early ends `use`, which may be run again when there is no such pager.
 */
export const paged = <E, R>(use: (write: Write) => Effect.Effect<void, E, R>): Effect.Effect<void, E, R> => {
  const command = canRedraw(process.stdout) ? pagerCommand() : undefined
  if (command === undefined) return use(print)
  const attempt = Effect.scoped(Effect.gen(function*() {
    const rows = rowCounter(columnsOf(process.stdout) ?? 0)
    const closed = yield* Deferred.make<number | null>()
    const scope = yield* Effect.scope
    const held: Array<Buffer> = []
    let pager: ChildProcess | undefined
    const pass = (child: ChildProcess, bytes: string | Uint8Array) =>
      Effect.async<void>((resume) => void child.stdin?.write(bytes, () => resume(Effect.void)))
    const hold: Write = (bytes) =>
      Effect.gen(function*() {
        if (pager !== undefined) return yield* pass(pager, bytes)
        const piece = Buffer.from(bytes as Uint8Array)
        held.push(piece)
        // The prompt of the shell takes a row, too.
        if (rows(piece.toString()) < rowsOf(process.stdout)) return
        pager = yield* started(command, closed).pipe(Effect.provideService(Scope.Scope, scope))
        yield* pass(pager, Buffer.concat(held))
      })
    const exit = yield* Effect.exit(Effect.raceFirst(use(hold), Effect.asVoid(Deferred.await(closed))))
    if (pager === undefined) yield* print(Buffer.concat(held))
    else pager.stdin?.end()
    const status = pager === undefined ? 0 : yield* Deferred.await(closed)
    return { exit, missing: NOT_FOUND.includes(status ?? 0) }
  }))
  return Effect.flatMap(attempt, ({ exit, missing }) => missing ? use(print) : exit)
}

/** The same of a text that is there as a whole. */
export const page = (text: string): Effect.Effect<void> => paged((write) => write(text))
