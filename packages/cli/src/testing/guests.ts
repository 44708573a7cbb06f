/** Guests whose repositories the command asks for: real agents on this host, behind a daemon that only knows of them. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { spawnSync } from "node:child_process"
import { tmpdir } from "node:os"
import { afterAll, assert, beforeAll } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { buildAgent, startAgent, type TestAgent } from "./agent.ts"
import { shipped, start } from "./command-line.ts"
import { type FakeDaemon, startFakeDaemon, view } from "./fake-daemon.ts"
import { arrived, base, commit, guestGit, home, repository } from "./repositories.ts"

const GIT = "/usr/bin/git"
/** The command that starts a guest with another file in git's place. Such a guest has mounts of its own, which only root can make. */
const inPlaceOfGit = (file: string) => ["unshare", "--mount", "sh", "-c", `mount --bind ${file} ${GIT} && exec "$@"`, "sh"]
export const canReplaceGit = spawnSync("unshare", ["--mount", "true"]).status === 0 && existsSync(GIT)

/** A repository with a commit and a change that is not committed, here and as it arrived in the guest. */
export const pair = async (name: string) => {
  const here = repository(name)
  for (const file of ["one", "two"]) writeFileSync(`${here}/${file}`, `${file}\n`)
  commit(here)
  writeFileSync(`${here}/two`, "two, changed here\n")
  const there = await Effect.runPromise(arrived(here))
  return { here, there }
}

export const commitIn = (there: string, text: string) => {
  writeFileSync(`${there}/one`, text)
  guestGit(there, "commit", "-qam", text)
}

/** Every file of a directory, with what is in it. */
export const files = (directory: string): ReadonlyMap<string, string> =>
  new Map(readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== "index").map((entry) => {
    const path = `${entry.parentPath}/${entry.name}`
    return [path, readFileSync(path, "latin1")]
  }))

export const changedIn = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) =>
  [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path))

/** The guests of a file of tests, for as long as its tests run: `box` and `other`, and those that it adds itself. */
export const makeGuests = () => {
  const work = mkdtempSync(`${tmpdir()}/banger-guests-`)
  const program = buildAgent(work)
  const agents: Array<TestAgent> = []
  let daemon: FakeDaemon
  let banger: ReadonlyArray<string>
  const environment = { BANGER_SOCKET: `${work}/bangerd.sock`, HOME: home, GIT_CONFIG_NOSYSTEM: "1", GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@x", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@x" }

  /** Begins a guest and gives its socket; `wrapper` is what it is started with. */
  const begin = async (...wrapper: ReadonlyArray<string>) => {
    const agent = await startAgent(program ?? "", wrapper)
    agents.push(agent)
    return agent.socket
  }
  const add = (name: string, socket: string) => void daemon.vms.push(view(name, socket))
  /** A guest whose git is another file. */
  const addWithGit = async (name: string, file: string) => add(name, await begin(...inPlaceOfGit(file)))
  /** A guest whose git is a script, which has the real one as $GIT. */
  const addWithScript = (name: string, script: string) => {
    copyFileSync(GIT, `${work}/git`)
    writeFileSync(`${work}/${name}`, `#!/bin/sh\nGIT=${work}/git\n${script}\n`, { mode: 0o755 })
    return addWithGit(name, `${work}/${name}`)
  }
  const run = (...words: ReadonlyArray<string>) => start([...banger, "vm", ...words], environment).ended

  /** Pulls from a spoilt repository, checks that nothing was taken over, and gives the first line of the refusal. */
  const refused = async (name: string, spoil: (there: string) => void, vm = "box", ...flags: ReadonlyArray<string>) => {
    const { here, there } = await pair(name)
    spoil(there)
    const before = files(here)
    const { status, stderr } = await run("pull", ...flags, `${vm}:${there}`, here)
    assert.deepStrictEqual(changedIn(before, files(here)), [], stderr)
    assert.deepStrictEqual(readdirSync(`${here}/.git/objects`).filter((name) => name.startsWith("tmp")), [])
    assert.strictEqual(status, 1, stderr)
    return stderr.split("\n")[0]
  }

  beforeAll(async () => {
    if (program === undefined) return
    banger = await shipped()
    const socket = await begin()
    daemon = await startFakeDaemon(`${work}/bangerd.sock`, socket, { consoleLog: "" })
    add("other", socket)
  }, 120_000)
  afterAll(async () => {
    for (const agent of agents) agent.stop()
    await daemon?.stop()
    for (const directory of [work, base]) rmSync(directory, { recursive: true, force: true })
  })
  return { none: program === undefined, add, addWithGit, addWithScript, begin, refused, run }
}
