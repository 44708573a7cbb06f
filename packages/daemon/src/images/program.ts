import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { killed } from "@banger/capabilities/killed.ts"
import { BadSource, StepFailed } from "@banger/domain/errors.ts"
import { type Proxy, proxyVariables } from "@banger/domain/session.ts"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { asStep } from "../as-step.ts"
import { HostFacts } from "../host-facts.ts"

/** What every one of our programs may print besides its result (native/internal/report). */
const Progress = Schema.Struct({ progress: Schema.Struct({ phase: Schema.Literal("read", "fetch", "write"), done: Schema.Number, total: Schema.Number }) })
const Failure = Schema.Struct({ error: Schema.Struct({ kind: Schema.String, message: Schema.String, fix: Schema.String }) })
export type ProgressLine = typeof Progress.Type

/** The flag of every program that writes: what it leaves free of the disk. */
export const makeReserve = Effect.map(HostFacts, ({ hello }) =>
  Effect.map(Effect.mapError(hello, asStep("reach the root helper")), ({ reserveBytes }) => ["--reserve", String(reserveBytes)] as const))

/** Bytes of one line: the longest is a result with the texts of an image's configuration. */
const MAX_LINE = 8 << 20

/** How long a program may say nothing of its progress; what it writes in one piece, a slow disk has written by then. */
const STALL = 600_000

/** Beside the daemon's own directory in an install. */
const PROGRAMS = new URL("../bin/", import.meta.url)

/** What a program gets from the session of whoever asked for its work: never as arguments, which everybody on the host can read. */
export interface Given {
  readonly proxy: Proxy
  /** One line for its stdin. */
  readonly line?: string | undefined
}

/**
 * Runs a program of ours and gives what it prints, a JSON object a line: progress, and results of the given form. `source` names
 * what it works on in errors. It ends with the stream's scope: its stdin is ours, so it does so even when we are killed.
 */
export const runProgram = <A, I>(program: "banger-oci" | "banger-bundle", result: Schema.Schema<A, I>, args: ReadonlyArray<string>, source: string, { line, proxy }: Given, programs: URL = PROGRAMS): Stream.Stream<A | ProgressLine, BadSource | StepFailed> => {
  const decode = Schema.decodeUnknownEither(Schema.parseJson(Schema.Union(Progress, Failure, result)))
  // A full disk is not the source's fault.
  const failure = ({ fix, kind, message }: (typeof Failure.Type)["error"]) =>
    kind === "no-room" || kind === "disk-full" ? new StepFailed({ operation: "make the image", problem: message, fix }) : new BadSource({ path: source, problem: message, fix })
  const broken = (problem: string) => new BadSource({ path: source, problem, fix: `banger system install installs ${program} again` })
  return Stream.asyncPush<A | ProgressLine, BadSource | StepFailed>((emit) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(fileURLToPath(new URL(program, programs)), [...args], { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...proxyVariables(proxy) } })
        const stalled = setTimeout(() => emit.fail(new StepFailed({ operation: `use ${source}`, problem: `${program} has made no progress for ${STALL / 60_000} minutes`, fix: "run the same command again; what was fetched is kept" })), STALL)
        let rest = ""
        let said = ""
        const isFailure = Schema.is(Failure)
        const take = (text: string) => {
          const line = decode(text)
          if (Either.isLeft(line)) emit.fail(broken(`${program} printed what is not understood: ${text.slice(0, 200)}`))
          else if (isFailure(line.right)) emit.fail(failure(line.right.error))
          else emit.single(line.right)
        }
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          stalled.refresh()
          const lines = (rest + text).split("\n")
          rest = lines.pop() ?? ""
          lines.forEach(take)
          if (rest.length > MAX_LINE) emit.fail(broken(`${program} prints a line without end`))
        })
        child.stderr.setEncoding("utf8").on("data", (text: string) => said = (said + text).slice(-1_000))
        // It may have ended before it was told anything.
        child.stdin.on("error", () => {})
        if (line !== undefined) child.stdin.write(`${line}\n`)
        child.on("error", (error) => emit.fail(broken(error.message)))
        child.on("close", (status, signal) => status === 0 ? emit.end() : emit.fail(broken(`${program} ended with ${signal ?? status}: ${said.trim()}`)))
        return { child, stalled }
      }),
      ({ child, stalled }) => Effect.zipRight(Effect.sync(() => clearTimeout(stalled)), killed(child))
    ), { bufferSize: "unbounded" })
}
