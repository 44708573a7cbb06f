import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { copyFileSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { buildAgent, buildProgram, startAgent, type TestAgent } from "../../testing/agent.ts"
import { shipped, start } from "../../testing/command-line.ts"
import { type FakeDaemon, startFakeDaemon } from "../../testing/fake-daemon.ts"

const base = mkdtempSync(`${tmpdir()}/banger-cp-`)
const program = buildAgent(base)
let agent: TestAgent
let daemon: FakeDaemon
let banger: ReadonlyArray<string>

beforeAll(async () => {
  if (program === undefined) return
  // The command looks for banger's programs beside its Node.
  mkdirSync(`${base}/bin`)
  buildProgram("banger-copy", `${base}/bin`)
  const [node = "", ...rest] = await shipped()
  copyFileSync(node, `${base}/bin/node`)
  banger = [`${base}/bin/node`, ...rest]
  agent = await startAgent(program)
  daemon = await startFakeDaemon(`${base}/bangerd.sock`, agent.socket, { consoleLog: "" })
}, 120_000)
afterAll(async () => {
  agent?.stop()
  await daemon?.stop()
  rmSync(base, { recursive: true, force: true })
})

const cp = (...words: ReadonlyArray<string>) => start([...banger, "vm", "cp", ...words], { BANGER_SOCKET: `${base}/bangerd.sock` }).ended

/** A place of the guest's, whose agent runs here, and one of the host's. */
const places = (name: string) => {
  const [guest, host] = [`${agent.directory}/${name}`, `${base}/${name}`] as const
  mkdirSync(guest)
  mkdirSync(host)
  return { guest, host }
}

const tree = (at: string) => {
  mkdirSync(`${at}/tree/sub`, { recursive: true })
  writeFileSync(`${at}/tree/sub/tool`, "#!/bin/sh\n", { mode: 0o755 })
  symlinkSync("/nowhere/at-all", `${at}/tree/link`)
}
const assertTree = (at: string) => {
  assert.strictEqual(readFileSync(`${at}/sub/tool`, "utf8"), "#!/bin/sh\n")
  assert.strictEqual(statSync(`${at}/sub/tool`).mode & 0o777, 0o755)
  assert.strictEqual(readlinkSync(`${at}/link`), "/nowhere/at-all")
}

describe.skipIf(program === undefined)("vm cp", () => {
  it.concurrent("puts a file into a directory that is there, or in the place of the last name", async () => {
    const { guest, host } = places("into")
    const bytes = randomBytes(3 << 20)
    writeFileSync(`${host}/file`, bytes)
    const inside = await cp(`${host}/file`, `box:${guest}`)
    const named = await cp(`${host}/file`, `box:${guest}/other`)
    assert.deepStrictEqual([inside, named].map(({ status, stderr, stdout }) => [status, stdout, stderr]), Array.from({ length: 2 }, () => [0, "1 file, 3 MiB\n", ""]))
    for (const name of ["file", "other"]) assert.isTrue(readFileSync(`${guest}/${name}`).equals(bytes))
  })

  it.concurrent("takes trees, with links and modes, there and back", async () => {
    const { guest, host } = places("trees")
    tree(host)
    assert.strictEqual((await cp(`${host}/tree`, `box:${guest}/as`)).status, 0)
    assertTree(`${guest}/as`)
    const back = await cp("--json", `box:${guest}/as`, `${host}/back`)
    assert.deepStrictEqual([back.stderr, back.status, JSON.parse(back.stdout)], ["", 0, { files: 2, bytes: 10 }])
    assertTree(`${host}/back`)
    assert.strictEqual((await cp(`box:${guest}/as`, host)).status, 0)
    assertTree(`${host}/as`)
  })

  it.concurrent("gives and takes archives", async () => {
    const { guest, host } = places("archives")
    tree(guest)
    const out = await cp(`box:${guest}/tree`, "-")
    writeFileSync(`${host}/tree.tar`, out.stdout, "latin1")
    assert.include(execFileSync("tar", ["-tf", `${host}/tree.tar`], { encoding: "utf8" }), "tree/sub/tool\n")
    const command = [...banger, "vm", "cp", "-", `box:${guest}/made`]
    assert.strictEqual((await start(command, { BANGER_SOCKET: `${base}/bangerd.sock` }, readFileSync(`${host}/tree.tar`)).ended).stdout, "2 files, 10 B\n")
    assertTree(`${guest}/made/tree`)
  })

  it.concurrent("writes to nothing that a guest's link leads to, and nothing that is setuid", async () => {
    const { guest, host } = places("hostile")
    mkdirSync(`${guest}/tree`)
    writeFileSync(`${guest}/tree/tool`, "", { mode: 0o755 })
    execFileSync("chmod", ["u+s", `${guest}/tree/tool`])
    mkdirSync(`${host}/tree`)
    symlinkSync("/etc/passwd", `${host}/tree/tool`)
    const before = readFileSync("/etc/passwd", "utf8")
    assert.strictEqual((await cp(`box:${guest}/tree`, host)).status, 0)
    assert.strictEqual(lstatSync(`${host}/tree/tool`).mode, 0o100755)
    assert.strictEqual(readFileSync("/etc/passwd", "utf8"), before)
  })

  it.concurrent("says what it cannot copy, and loses nothing", async () => {
    const { guest, host } = places("wrong")
    tree(host)
    writeFileSync(`${host}/mine`, "mine")
    writeFileSync(`${guest}/file`, "theirs")
    const failures = await Promise.all([
      cp(`${host}/none`, `box:${guest}`), cp(`box:${guest}/none`, host), cp(`${host}/mine`, `box:${guest}/none/x`), cp(`box:${guest}/file`, `${host}/none/x`),
      cp(`${host}/tree`, `box:${guest}/file`), cp(`${host}/mine/`, `box:${guest}`), cp(`${host}/mine`, "nosuch:/tmp")])
    assert.deepStrictEqual(failures.map(({ status, stderr }) => [status, stderr.split("\n")[0]]), [
      [1, `banger: there is no ${host}/none`],
      [1, `banger: box:${guest}/none: lstat ${guest}/none: no such file or directory`],
      [1, `banger: box:${guest}/none/x: stat ${guest}/none: no such file or directory`],
      [1, `banger: cannot copy to ${host}/none/x: stat ${host}/none: no such file or directory`],
      [1, `banger: box:${guest}/file: "tree/": copy a directory to ${guest}/file: not a directory`],
      [1, `banger: ${host}/mine/ is no directory`],
      [3, "banger: there is no VM nosuch"]
    ])
    assert.strictEqual(readFileSync(`${guest}/file`, "utf8"), "theirs")
    assert.isFalse(existsSync(`${guest}/none`) || existsSync(`${host}/none`))
  })

  it.concurrent("is told what is copied where", async () => {
    for (const words of [["a", "b"], ["box:a", "box:b"], ["-", "-"], ["a"], ["a", "box:b", "c"], ["", "box:a"], ["NO_NAME:a", "b"]]) {
      const { status, stderr } = await cp(...words)
      assert.deepStrictEqual([status, stderr.trim().split("\n").length], [2, 2], `${words.join(" ")}: ${stderr}`)
    }
  })
})
