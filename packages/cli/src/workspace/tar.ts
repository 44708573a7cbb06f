import { spawn } from "node:child_process"
import { PassThrough, Readable } from "node:stream"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { cleanEnvironment } from "./git.ts"

const SEPARATOR = Buffer.of(0)

function* terminated(names: Iterable<Buffer>) {
  for (const name of names) yield Buffer.concat([name, SEPARATOR])
}

// Links between files are no part of what git keeps, and one between symlinks no agent would make.
const ARGUMENTS = ["--owner=0", "--group=0", "--numeric-owner", "--hard-dereference", "--null", "--verbatim-files-from"]

/** Status of tar when a file changed while it was read: what is sent is what was read. */
const CHANGED = 1

/** Sends an archive. When tar fails the connection breaks, and tar's words are the cause: `failed` makes the error of them. */
export const sending = <A, E, E2, R>(archive: Readable, failed: (words: string) => E2, send: (archive: Readable) => Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
  Effect.suspend(() => {
    let cause: Error | undefined
    archive.once("error", (error) => cause = error)
    return Effect.mapError(send(archive), (error) => cause === undefined ? error : failed(cause.message))
  })

/**
 * A tar stream of exactly these names below a directory, none younger than a time in seconds; `whole`: with all that
 * is in them. The stream fails with tar's own words when it cannot be made in full; the scope ends tar.
 * `told` gets the number of bytes of each piece.
 */
export const tar = (directory: string, names: Iterable<Buffer>, which: "whole" | number, told: (bytes: number) => void): Effect.Effect<Readable, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const args = ["-c", "-f", "-", ...ARGUMENTS, ...(which === "whole" ? ["--recursion"] : ["--no-recursion", "--clamp-mtime", `--mtime=@${which}`]), "-C", directory, "-T", "-"]
        const child = spawn("tar", args, { env: cleanEnvironment(), stdio: ["pipe", "pipe", "pipe"] })
        // Node throws away what nobody reads by the time a child ends, so its output is taken at once.
        const out = child.stdout.on("data", ({ length }: Buffer) => told(length)).pipe(new PassThrough(), { end: false })
        let said = ""
        child.stderr.on("data", (text) => said = (said + text).slice(-4_096))
        child.on("error", (error) => out.destroy(error))
        child.on("close", (status) => {
          if (status === 0 || status === CHANGED) return out.end()
          const problem = said.trim().split("\n")[0] ?? ""
          out.destroy(new Error(problem === "" ? "tar was ended" : problem))
        })
        Readable.from(terminated(names)).on("error", () => {}).pipe(child.stdin.on("error", () => {}))
        return { child, out }
      }),
      ({ child, out }) => Effect.sync(() => {
        out.on("error", () => {}).destroy()
        child.kill("SIGKILL")
      })
    ),
    ({ out }) => out
  )
