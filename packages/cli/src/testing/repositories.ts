/** Repositories of a host, and what arrives of them in a guest: both are directories here. */
import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import type { Readable } from "node:stream"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Asked } from "../workspace/workspace.ts"
import { plan, prepare } from "../workspace/workspace.ts"
import { within } from "./environment.ts"

export const base = realpathSync(mkdtempSync(`${tmpdir()}/banger-repositories-`))

/** The user's own settings; the guest has none. */
export const home = `${base}/home`
/** Programs that the host has and the guest has not. */
export const programs = `${base}/programs`
/** Files of tests share this module, and each removes all of it at its end. */
const begun = () => {
  for (const directory of [home, programs]) mkdirSync(directory, { recursive: true })
}

const identity = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@x", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@x" }
const hostEnvironment = { ...identity, HOME: home, PATH: `${programs}:${process.env["PATH"]}`, GIT_CONFIG_NOSYSTEM: "1", GIT_ALLOW_PROTOCOL: "file" }
const guestEnvironment = { ...identity, HOME: "/nonexistent", PATH: String(process.env["PATH"]), GIT_CONFIG_NOSYSTEM: "1", GIT_ALLOW_PROTOCOL: "" }

const run = (directory: string, env: Record<string, string>, args: ReadonlyArray<string>) =>
  execFileSync("git", args as Array<string>, { cwd: directory, env, stdio: "pipe", maxBuffer: 1 << 28 }).toString("latin1")

/** git as the user runs it on the host. */
export const git = (directory: string, ...args: ReadonlyArray<string>) => {
  begun()
  return run(directory, hostEnvironment, ["-c", "init.defaultBranch=main", ...args])
}
/** git as it runs in the guest: without the host's programs, settings and network. */
export const guestGit = (directory: string, ...args: ReadonlyArray<string>) => run(directory, guestEnvironment, args)

export const program = (name: string, text: string) => {
  begun()
  writeFileSync(`${programs}/${name}`, `#!/bin/sh\n${text}\n`)
  chmodSync(`${programs}/${name}`, 0o755)
}

export const repository = (name: string, ...args: ReadonlyArray<string>) => {
  const directory = `${base}/${name}`
  mkdirSync(directory, { recursive: true })
  git(directory, "init", "-q", ...args)
  return directory
}

export const commit = (directory: string, message = "x") => {
  git(directory, "add", "-A")
  git(directory, "commit", "-qm", message)
}

export const asked = (given: Partial<Asked> = {}): Asked => ({ mode: "auto", includeUntracked: false, ...given })

/** As the user of `home`, with the host's programs. */
export const asUser = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  within({ HOME: home, PATH: String(hostEnvironment.PATH), GIT_CONFIG_NOSYSTEM: "1" }, effect)

/** Unpacks an archive as the guest does it. */
export const unpack = (into: string, read: (told: (bytes: number) => void) => Readable) =>
  Effect.promise(async () => {
    let told = 0
    const chunks: Array<Buffer> = []
    for await (const chunk of read((bytes) => told += bytes)) chunks.push(chunk)
    assert.strictEqual(told, chunks.reduce((sum, { length }) => sum + length, 0))
    mkdirSync(into, { recursive: true })
    execFileSync("tar", ["-x", "-p", "--warning=no-timestamp", "-C", into], { input: Buffer.concat(chunks) })
  })

/** What arrives when all is unpacked as the guest does it. */
export const arrived = (path: string, given: Partial<Asked> = {}) =>
  Effect.gen(function*() {
    const workspace = yield* plan(path, asked(given))
    const { archives } = yield* prepare(workspace)
    const into = mkdtempSync(`${base}/guest-`)
    for (const { read, to } of archives) yield* unpack(to.replace(workspace.target, into), read)
    const config = `${into}/.git/config`
    if (existsSync(config)) writeFileSync(config, readFileSync(config, "latin1").replaceAll(workspace.target, into), "latin1")
    return into
  }).pipe(Effect.scoped, asUser)

/** What git says that must be the same on both sides. */
const QUESTIONS: ReadonlyArray<ReadonlyArray<string>> = [
  ["status", "--porcelain=v2", "-z", "--branch", "--untracked-files=no"], ["describe", "--tags", "--always", "--dirty"], ["submodule", "status", "--recursive"], ["diff", "--cached", "--raw"], ["fsck", "--connectivity-only", "--no-dangling"]
]

const answers = (ask: typeof git, directory: string) =>
  QUESTIONS.map((question) => {
    try {
      return `${question[0]}: ${ask(directory, ...question)}`
    } catch (error) {
      return `${question[0]} failed: ${(error as { stderr?: Buffer }).stderr}`
    }
  })

/** What git says on the host, and in the guest of what arrived there. */
export const bothSides = (path: string, given: Partial<Asked> = {}) =>
  Effect.map(arrived(path, given), (there) => ({ host: answers(git, path), guest: answers(guestGit, there), there }))
