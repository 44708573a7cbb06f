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
export const sending = <A, E, E2, R>(read: () => Readable, failed: (words: string) => E2, send: (archive: Readable) => Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
  Effect.suspend(() => {
    const archive = read()
    return Effect.mapError(send(archive), (error) => archive.errored === null ? error : failed(archive.errored.message))
  })

/** An archive of exactly these names, read from now on; `told` gets the number of bytes of each piece. */
export type Archive = (names: Iterable<Buffer>, told: (bytes: number) => void) => Readable

/**
 * tar, started in a directory, which reads nothing until it is given names: a VM can boot meanwhile. No file gets a time younger
 * than one in seconds; `whole`: names go along with all that is in them; `also`: further arguments of tar's. The stream fails with
 * tar's own words when it cannot be made in full; the scope ends tar.
 */
export const tar = (directory: string, which: "whole" | number, also: ReadonlyArray<string> = []): Effect.Effect<Archive, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const args = ["-c", "-f", "-", ...ARGUMENTS, ...(which === "whole" ? ["--recursion"] : ["--no-recursion", "--clamp-mtime", `--mtime=@${which}`]), ...also, "-C", directory, "-T", "-"]
        const child = spawn("tar", args, { env: cleanEnvironment(), stdio: ["pipe", "pipe", "pipe"] })
        const out = new PassThrough()
        let said = ""
        child.stderr.on("data", (text) => said = (said + text).slice(-4_096))
        child.stdin.on("error", () => {})
        // Node throws away what nobody reads by the time a child ends, so its output is taken at once.
        child.stdout.pipe(out, { end: false })
        child.on("error", (error) => out.destroy(error))
        child.on("close", (status) => {
          if (status === 0 || status === CHANGED) return out.end()
          const problem = said.trim().split("\n")[0] ?? ""
          out.destroy(new Error(problem === "" ? "tar was ended" : problem))
        })
        // Its failure is told to who reads, which may be later.
        out.on("error", () => {})
        return { child, out }
      }),
      ({ child, out }) => Effect.sync(() => {
        out.destroy()
        child.kill("SIGKILL")
      })
    ),
    ({ child, out }): Archive => (names, told) => {
      child.stdout.on("data", ({ length }: Buffer) => told(length))
      Readable.from(terminated(names)).on("error", () => {}).pipe(child.stdin)
      return out
    }
  )
