import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { RunConfig } from "@banger/domain/catalog.ts"
import { BadSource } from "@banger/domain/errors.ts"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/** A line that banger-oci prints (native/cmd/banger-oci). */
const Line = Schema.parseJson(Schema.Union(
  Schema.Struct({ progress: Schema.Struct({ phase: Schema.Literal("fetch", "write"), done: Schema.Number, total: Schema.Number }) }),
  Schema.Struct({ result: Schema.Struct({ digest: Schema.String, bytes: Schema.Number, files: Schema.Number, config: RunConfig }) }),
  Schema.Struct({ unchanged: Schema.String }),
  Schema.Struct({ error: Schema.Struct({ kind: Schema.String, message: Schema.String, fix: Schema.String }) })
))
export type Line = typeof Line.Type

/** Bytes of one line: the longest is a result with the texts of an image's configuration. */
const MAX_LINE = 8 << 20

/**
 * Runs banger-oci and gives what it prints. `source` names the image in errors. It ends with the stream's scope: its stdin
 * is ours, so it does so even when we are killed.
 */
export const oci = (args: ReadonlyArray<string>, source: string): Stream.Stream<Line, BadSource> => {
  const program = fileURLToPath(new URL("banger-oci", import.meta.url))
  const broken = (problem: string) => new BadSource({ path: source, problem, fix: "banger system install installs banger-oci again" })
  return Stream.asyncPush<Line, BadSource>((emit) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(program, [...args], { stdio: ["pipe", "pipe", "pipe"] })
        let rest = ""
        let said = ""
        const take = (text: string) => {
          const line = Schema.decodeUnknownEither(Line)(text)
          if (line._tag === "Left") emit.fail(broken(`banger-oci printed what is not understood: ${text.slice(0, 200)}`))
          else if ("error" in line.right) emit.fail(new BadSource({ path: source, problem: line.right.error.message, fix: line.right.error.fix }))
          else emit.single(line.right)
        }
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          const lines = (rest + text).split("\n")
          rest = lines.pop() ?? ""
          lines.forEach(take)
          if (rest.length > MAX_LINE) emit.fail(broken("banger-oci prints a line without end"))
        })
        child.stderr.setEncoding("utf8").on("data", (text: string) => said = (said + text).slice(-1_000))
        // It may have ended before it was told anything.
        child.stdin.on("error", () => {})
        child.on("error", (error) => emit.fail(broken(error.message)))
        child.on("close", (status, signal) => status === 0 ? emit.end() : emit.fail(broken(`banger-oci ended with ${signal ?? status}: ${said.trim()}`)))
        return child
      }),
      (child) => Effect.sync(() => void child.kill("SIGKILL"))
    ), { bufferSize: "unbounded" })
}
