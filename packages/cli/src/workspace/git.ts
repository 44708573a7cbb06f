import { spawn } from "node:child_process"
import type { Readable } from "node:stream"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export class GitFailed extends Schema.TaggedError<GitFailed>()("GitFailed", {
  command: Schema.String,
  problem: Schema.String,
  fix: Schema.String
}) {
  override get message() {
    return `git ${this.command} failed: ${this.problem}`
  }
  get hint() {
    return this.fix
  }
}

/** The repository's own configuration is not trusted: nothing it names may run. */
const SAFE = [
  "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.splitIndex=false", "core.untrackedCache=false", "index.sparse=false",
  // Every file's state is decided anew, by all that the file system tells.
  "core.checkStat=default", "core.trustctime=true",
  // `git log` would ask gpg.program, which a repository may name itself.
  "log.showSignature=false"
]

/** Where the caller's own settings come from. The rest of git's variables would make it look at another repository. */
const KEPT = /^GIT_(CONFIG_|CEILING_DIRECTORIES$|DISCOVERY_|ATTR_|SSH|EXEC_PATH$)/

export const cleanEnvironment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => (!name.startsWith("GIT_") || KEPT.test(name)) && name !== "TAR_OPTIONS")),
  // Nothing is fetched from anywhere.
  GIT_ALLOW_PROTOCOL: "",
  GIT_NO_LAZY_FETCH: "1",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  LC_ALL: "C"
})

/** Has git write objects to a directory and read those of another, too. Unquoted, a colon would end the path. */
export const borrowing = (own: string, from: string) => ({
  GIT_OBJECT_DIRECTORY: own,
  GIT_ALTERNATE_OBJECT_DIRECTORIES: `"${from.replace(/["\\]/g, "\\$&")}"`
})

/** Bytes of output kept: the list of a repository of some million files. */
const MAX_OUTPUT = 1 << 29
const MAX_WORDS = 16_384

type Arguments = readonly [string, ...ReadonlyArray<string>]

export interface Options {
  readonly stdin?: Buffer | Readable
  readonly env?: Readonly<Record<string, string>>
  /** Settings that win over the repository's, as `name=value`. */
  readonly config?: ReadonlyArray<string>
  /** Exit statuses that are no failure, besides 0. */
  readonly allow?: ReadonlyArray<number>
}

/** What mends it: git's own words where it has some. */
const fixOf = (directory: string, said: string): string => {
  const own = /^\s*(git config --global --add safe\.directory .*)$/m.exec(said)?.[1]
  if (own !== undefined) return own
  if (/No space left on device/.test(said)) return "TMPDIR=DIR names a directory with more room"
  return `git -C ${directory} fsck says more, if the repository is damaged`
}

const problemOf = (said: string) => {
  const lines = said.trim().split("\n")
  // What is wrong with an object stands before the line that says that something is.
  const line = lines.find((text) => text.startsWith("error: object ")) ?? lines.find((text) => text.startsWith("fatal: ")) ?? lines[0] ?? ""
  return line.replace(/^(fatal|error): /, "")
}

/** git as a child, which the caller ends. */
const spawnGit = (directory: string, args: Arguments, { config = [], env = {} }: Options) =>
  spawn("git", ["-C", directory, ...[...SAFE, ...config].flatMap((setting) => ["-c", setting]), ...args], { env: { ...cleanEnvironment(), ...env }, stdio: "pipe" })

/** Runs git in a directory and hands its output to `take`, as bytes: names need not be text. `take` says false to end it early. */
export const gitStream = (directory: string, args: Arguments, options: Options, take: (chunk: Buffer) => boolean): Effect.Effect<void, GitFailed> =>
  Effect.async((resume) => {
    const child = spawnGit(directory, args, options)
    let said = ""
    let enough = false
    const fail = (problem: string) =>
      resume(new GitFailed({ command: args[0], problem, fix: problem === "git is not installed" ? "install git" : fixOf(directory, said) }))
    child.stdout.on("data", (chunk: Buffer) => {
      if (enough || take(chunk)) return
      enough = true
      child.kill("SIGKILL")
    })
    child.stderr.on("data", (text) => said = (said + text).slice(0, MAX_WORDS))
    child.on("error", (error) => fail("code" in error && error.code === "ENOENT" ? "git is not installed" : error.message))
    child.on("close", (status, signal) => {
      if (enough || status === 0 || options.allow?.includes(status ?? -1)) return resume(Effect.void)
      fail(problemOf(said) || `it ended with ${signal ?? `status ${status}`}`)
    })
    child.stdin.on("error", () => {})
    if (options.stdin === undefined || Buffer.isBuffer(options.stdin)) child.stdin.end(options.stdin)
    else options.stdin.pipe(child.stdin)
    return Effect.sync(() => void child.kill("SIGKILL"))
  })

/** The same, a line at a time. */
export const gitLines = (directory: string, args: Arguments, options: Options, take: (line: string) => boolean): Effect.Effect<void, GitFailed> =>
  Effect.suspend(() => {
    let rest = ""
    return gitStream(directory, args, options, (chunk) => {
      const whole = (rest + chunk.toString("latin1")).split("\n")
      rest = whole.pop() ?? ""
      return whole.every(take)
    })
  })

/** Runs git in a directory and gives its output. */
export const git = (directory: string, args: Arguments, options: Options = {}): Effect.Effect<Buffer, GitFailed> =>
  Effect.suspend(() => {
    const chunks: Array<Buffer> = []
    let size = 0
    return gitStream(directory, args, options, (chunk) => {
      chunks.push(chunk)
      return (size += chunk.length) <= MAX_OUTPUT
    }).pipe(Effect.flatMap(() =>
      size <= MAX_OUTPUT
        ? Effect.succeed(Buffer.concat(chunks))
        : new GitFailed({ command: args[0], problem: "its output has no end", fix: fixOf(directory, "") })))
  })

/** One line of output, without its end. */
export const gitLine = (directory: string, args: Arguments, options: Options = {}) =>
  Effect.map(git(directory, args, options), (output) => output.toString("utf8").replace(/\n$/, ""))

/** What git ends with a NUL each. */
export const records = (output: Buffer): ReadonlyArray<Buffer> => {
  const found: Array<Buffer> = []
  for (let from = 0; from < output.length;) {
    const to = output.indexOf(0, from)
    found.push(output.subarray(from, to))
    from = to + 1
  }
  return found
}
