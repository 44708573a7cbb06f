import { execFile } from "node:child_process"
import { createInterface } from "node:readline"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { BadConfig } from "@banger/domain/config-file.ts"
import { BadSource } from "@banger/domain/errors.ts"
import { hostReserve } from "../host/host-config.ts"
import { program } from "../host/paths.ts"

/** Bytes done of all. */
export type Told = (done: number, total: number) => void

const Progress = Schema.parseJson(Schema.Struct({ progress: Schema.Struct({ done: Schema.Number, total: Schema.Number }) }))
const Failed = Schema.Struct({ error: Schema.Struct({ message: Schema.String, fix: Schema.String }) })

/** Bytes of all that it prints: its progress, a few lines a second. */
const MAX_OUTPUT = 64 << 20

/** Runs banger-bundle: its last line is the result, the lines before tell its progress. `what` names the bundle in errors. The program ends with its stdin, hence with this process. */
export const bangerBundle = <A, I>([command, ...args]: readonly [command: string, ...ReadonlyArray<string>], result: Schema.Schema<A, I>, what: string, told: Told): Effect.Effect<A, BadConfig | BadSource> =>
  Effect.flatMap(hostReserve, (reserve) => Effect.async((resume) => {
    const decode = Schema.decodeUnknownOption(Schema.parseJson(Schema.Union(result, Failed)))
    const isFailure = Schema.is(Failed)
    const child = execFile(program("banger-bundle"), [command, ...reserve, ...args], { maxBuffer: MAX_OUTPUT }, (error, stdout, stderr) => {
      const said = decode(stdout.trim().split("\n").at(-1) ?? "")
      const fail = (problem: string, fix: string) => resume(new BadSource({ path: what, problem, fix }))
      if (said._tag === "None") return fail(stderr.trim().split("\n")[0] || error?.message || "it came to no result", "banger system install installs banger-bundle again")
      if (isFailure(said.value)) return fail(said.value.error.message, said.value.error.fix)
      resume(Effect.succeed(said.value))
    })
    const progress = Schema.decodeUnknownOption(Progress)
    if (child.stdout !== null) {
      createInterface(child.stdout).on("line", (line) => Option.map(progress(line), ({ progress: { done, total } }) => told(done, total)))
    }
    // It removes what it has written so far.
    return Effect.sync(() => void child.stdin?.end())
  }))
