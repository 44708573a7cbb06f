import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as LogLevel from "effect/LogLevel"
import * as Logger from "effect/Logger"
import { LocalFailure } from "../failure/errors.ts"
import { FAILED, SIGNAL_STATUS, statusOf } from "../failure/exit.ts"
import { renderFailure } from "../failure/failure.ts"
import { takeSignals } from "../host/signals.ts"
import { makeRoom } from "../output/live-line.ts"
import type { Command } from "./command.ts"
import { ownWords } from "./everywhere.ts"

const asksForJson = (argv: ReadonlyArray<string>) => ownWords(argv)[0].includes("--json")

/** Waits until what was printed has left, then ends the process: open sockets must not keep it. */
const leave = (status: number) => process.stderr.write("", () => process.stdout.write("", () => process.exit(status)))

const complain = (error: unknown, json: boolean) => {
  makeRoom(process.stderr, "\n")
  process.stderr.write(renderFailure(error, json))
}

/** Runs a command to its end and exits with its status. The first signal ends it in order, a second at once. */
export const launch = (command: Pick<Command, "ownFailure" | "run">, argv: ReadonlyArray<string>): void => {
  let ended: number | undefined
  // The libraries' log goes to stdout, which is the guest's or a script's.
  const fiber = Effect.runFork(Logger.withMinimumLogLevel(command.run(argv), LogLevel.None))
  const end = (status: number) => {
    if (ended !== undefined) process.exit(status)
    ended = status
    fiber.unsafeInterruptAsFork(fiber.id())
  }
  takeSignals((signal) => end(SIGNAL_STATUS[signal]))
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (ended !== undefined) return
    if (error.code !== "EPIPE") complain(new LocalFailure({ problem: `cannot write the output: ${error.message}`, fix: "" }), asksForJson(argv))
    end(error.code === "EPIPE" ? SIGNAL_STATUS.SIGPIPE : command.ownFailure ?? FAILED)
  })
  process.stderr.on("error", () => {})
  fiber.addObserver((exit) => {
    if (Exit.isSuccess(exit)) return leave(exit.value)
    if (ended !== undefined) return leave(ended)
    const error = Cause.squash(exit.cause)
    complain(error, asksForJson(argv))
    leave(statusOf(error, command.ownFailure))
  })
}
