import { spawn } from "node:child_process"
import { chmodSync, mkdtempSync } from "node:fs"
import { NODE, snapshot } from "../../../../packaging/bundle.ts"

const MAIN = new URL("../main.ts", import.meta.url).pathname

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ReturnType<typeof spawn>
  readonly ended: Promise<Ran>
}

const build = async (): Promise<ReadonlyArray<string>> => {
  // Of the run: testing/run-directory.ts removes it.
  const outdir = mkdtempSync(`${process.env["BANGER_TEST_RUN"]}/cli-`)
  // Another user runs it, too.
  chmodSync(outdir, 0o755)
  await snapshot(outdir, "banger", MAIN)
  return [NODE, "--snapshot-blob", `${outdir}/banger.blob`, "--"]
}
let built: Promise<ReadonlyArray<string>> | undefined

/** The command as it is shipped: what its words are put after. Files of tests that share a thread share it. */
export const shipped = (): Promise<ReadonlyArray<string>> => built ??= build()

/** Starts a program, with what it may read at once or, with `null`, an input that stays open. */
export const start = (argv: ReadonlyArray<string>, env: NodeJS.ProcessEnv, stdin: string | Buffer | null = ""): Running => {
  const [command, ...args] = argv as [string, ...Array<string>]
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] })
  const out: Array<Buffer> = []
  const err: Array<Buffer> = []
  child.stdout.on("data", (chunk) => out.push(chunk))
  child.stderr.on("data", (chunk) => err.push(chunk))
  child.stdin.on("error", () => {})
  if (stdin !== null) child.stdin.end(stdin)
  const ended = new Promise<Ran>((resolve) => child.on("close", (status) =>
    resolve({ status, stdout: Buffer.concat(out).toString("latin1"), stderr: Buffer.concat(err).toString("utf8") })))
  return { child, ended }
}
