import { execFile } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export class GitFailed extends Schema.TaggedError<GitFailed>()("GitFailed", {
  command: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `git ${this.command} failed: ${this.problem}`
  }
  get hint() {
    return "the repository may be damaged: git fsck says more"
  }
}

/**
 * The repository's own configuration is not trusted: nothing it names may run. Of the caller's environment no
 * variable of git's is passed on, since they would make it look at another repository.
 */
const SAFE = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.file.allow=always"]

export const cleanEnvironment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_") && name !== "TAR_OPTIONS")),
  GIT_ALLOW_PROTOCOL: "file",
  GIT_NO_LAZY_FETCH: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  LC_ALL: "C"
})

/** Bytes of output kept: the list of a repository of some million files. */
const MAX_OUTPUT = 1 << 29

/** Runs git in a directory and gives its output, as bytes: names need not be text. */
export const git = (directory: string, args: readonly [string, ...ReadonlyArray<string>], stdin?: Buffer): Effect.Effect<Buffer, GitFailed> =>
  Effect.async((resume) => {
    const options = { encoding: "buffer", env: cleanEnvironment(), maxBuffer: MAX_OUTPUT } as const
    const child = execFile("git", ["-C", directory, ...SAFE, ...args], options, (error, stdout, stderr) => {
      if (error === null) return resume(Effect.succeed(stdout))
      const said = stderr.toString("utf8").trim().split("\n")[0] || error.message.split("\n")[0] || ""
      const problem = "code" in error && error.code === "ENOENT" ? "git is not installed" : said.replace(/^fatal: /, "")
      resume(Effect.fail(new GitFailed({ command: args[0], problem })))
    })
    child.stdin?.on("error", () => {})
    child.stdin?.end(stdin)
    return Effect.sync(() => void child.kill("SIGKILL"))
  })

/** One line of output, without its end. */
export const gitLine = (directory: string, args: readonly [string, ...ReadonlyArray<string>]) =>
  Effect.map(git(directory, args), (output) => output.toString("utf8").replace(/\n$/, ""))
