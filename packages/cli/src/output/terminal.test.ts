import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { shipped, start } from "../testing/command-line.ts"
import { type FakeDaemon, startFakeDaemon } from "../testing/fake-daemon.ts"
import { widthOf } from "./width.ts"

const base = mkdtempSync(`${tmpdir()}/banger-output-`)
const socket = `${base}/bangerd.sock`
let daemon: FakeDaemon
let banger: ReadonlyArray<string>

beforeAll(async () => {
  mkdirSync(`${base}/staging`)
  writeFileSync(`${base}/console.log`, Array.from({ length: 100 }, (_, at) => `line ${at}\n`).join(""))
  daemon = await startFakeDaemon(socket, `${base}/v.sock`, { consoleLog: `${base}/console.log` })
  banger = await shipped()
}, 120_000)
afterAll(async () => {
  await daemon?.stop()
  rmSync(base, { recursive: true, force: true })
})

interface Screen {
  readonly cols?: number
  readonly rows?: number
  readonly env?: NodeJS.ProcessEnv
}

const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`

/** What a command line writes to a terminal. */
const terminal = (line: string, { cols = 80, env = {}, rows = 24 }: Screen = {}) =>
  start(["script", "-qec", `banger() { ${banger.map(quoted).join(" ")} "$@"; }; stty cols ${cols} rows ${rows}; ${line}`, "/dev/null"], {
    // Of the shells only bash goes on after an interruption that its command dealt with.
    SHELL: "/bin/bash", TERM: "xterm", LANG: "C.UTF-8", LC_ALL: "", PAGER: "cat", BANGER_SOCKET: socket, BANGER_STAGING: `${base}/staging`,
    NO_COLOR: "", CLICOLOR: "", CLICOLOR_FORCE: "", ...env
  }, null)
const shows = async (line: string, screen?: Screen) => (await terminal(line, screen).ended).stdout

/** `latin1` as the runner collects it, read as the UTF-8 that it is. */
const utf8 = (text: string) => Buffer.from(text, "latin1").toString("utf8")
// oxlint-disable-next-line no-control-regex
const bare = (text: string) => utf8(text).replaceAll(/\x1b\[[0-9;]*[mKJ]/g, "")
const ERASED = "\r\x1b[J"

describe("progress on a terminal", () => {
  it.concurrent("is one line, erased, and one summary; --verbose has the parts", async () => {
    const [plain, verbose, dumb] = await Promise.all([
      shows("banger vm create --name short"), shows("banger vm create --name long -v"), shows("banger vm create --name dumb", { env: { TERM: "dumb" } })])
    assert.match(plain, /creating a VM, 0\.0 s/)
    // The newest part that is under way is shown.
    assert.match(bare(plain), /creating short, [0-9.]+ s: made the disk\r+creating short, [0-9.]+ s: firecracker/)
    assert.match(plain, new RegExp(`${ERASED.replace("[", "\\[")}short is ready in [0-9.]+ m?s\r\nshort\r\n$`))
    assert.notMatch(plain, /spec:|\n {2}made the disk/)
    assert.match(bare(verbose), /spec: .*\r\n[^]* {2}made the disk +12 ms\r\n[^]*long is ready in [0-9.]+ m?s\r\nlong\r\n$/)
    assert.match(dumb, /^spec: .*\r\n {2}made the disk +12 ms\r\ndumb\r\n$/)
    assert.notInclude(plain, "\x1b[?25l")
  })

  it.concurrent("never wraps, also where the terminal says nothing of its size", async () => {
    for (const cols of [20, 12, 0]) {
      const seen = await shows("banger image pull oci://registry.example/team/a-name-of-some-length:v1", { cols, rows: 5 })
      const lines = bare(seen).split(/[\r\n]+/).filter((line) => line.startsWith("making"))
      assert.isNotEmpty(lines)
      for (const line of lines) assert.isBelow(widthOf(line), cols || 80, line)
      assert.match(bare(seen), /made, [0-9.]+ m?s\r\n$/)
    }
  })

  it.concurrent("goes before the one message of an interruption, and leaves the terminal as it was", async () => {
    const { child, ended } = terminal("banger image pull oci://slow.example/app:1 --name slow; stty -a | grep -c ' echo '")
    let seen = ""
    child.stdout?.on("data", (text) => seen += text)
    while (!seen.includes("making slow")) await sleep(20)
    child.stdin?.write("\x03")
    const { stdout } = await ended
    const after = stdout.slice(stdout.lastIndexOf(ERASED) + ERASED.length)
    assert.match(after, /^slow is not made: cancelled; what was fetched is kept\r\n1\r\n$/)
  })

  it.concurrent("is redrawn in a window that became smaller", async () => {
    const { child, ended } = terminal("(sleep 4; stty cols 15 </dev/tty) & banger image pull oci://slow.example/app:2 --name slow")
    let seen = ""
    child.stdout?.on("data", (text) => seen += text)
    while (!/making slo(\u2026|\xe2\x80\xa6|w, )/.test(seen)) await sleep(20)
    while (!bare(Buffer.from(seen).toString("latin1")).split("\r").some((line) => widthOf(line) <= 14 && line.startsWith("making s") && line.endsWith("…"))) await sleep(20)
    child.stdin?.write("\x03")
    assert.strictEqual((await ended).status, 130)
  })

  it.concurrent("of several VMs is one line", async () => {
    const seen = bare(await shows("banger vm start box resting"))
    assert.include(seen, "starting 2 VMs, ")
    assert.match(seen, /box runs, [0-9.]+ m?s\r\n/)
  })

  it.concurrent("needs neither stderr nor stdout", async () => {
    const seen = await shows("banger vm create --name deaf 2>&-; echo status $?; banger vm create --name mute >/dev/full; echo status $?; banger vm create --name shut >&-; echo status $?")
    assert.match(bare(seen), /deaf\r\nstatus 0\r\n/)
    assert.match(bare(seen), /banger: cannot write the output: .*\r\n(.*\r\n)?status 1\r\n/)
  })
})

describe("lists on a terminal", () => {
  it.concurrent("fit it, with names whole, and say how long ago; a pipe gets all of it", async () => {
    const [narrow, ascii, tiny, wide, piped] = await Promise.all([
      shows("banger image list", { cols: 45 }), shows("banger vm list", { cols: 48, env: { LANG: "C" } }), shows("banger vm list", { cols: 20, rows: 5 }), shows("banger image list"), shows("banger image list | cat", { cols: 20 })])
    assert.match(narrow, /\r\ndebian-bookworm .* years ago\r\n/)
    for (const [text, columns] of [[narrow, 45], [ascii, 48], [tiny, 20]] as const) for (const line of utf8(text).split("\r\n")) assert.isAtMost(widthOf(line), columns)
    assert.include(ascii, "...")
    assert.match(tiny, /^NAME [^]*\r\nbox /)
    assert.match(wide, /years ago +box/)
    assert.match(piped, /debian-bookworm +3 MiB +- +1970-01-01 +box\r\n/)
  })

  it.concurrent("are coloured as the variables say, stdout and stderr apart", async () => {
    const red = async (line: string, env: NodeJS.ProcessEnv) => (await shows(line, { env })).includes("\x1b[31m")
    const found = await Promise.all([
      red("banger doctor", {}), red("banger doctor", { NO_COLOR: "1" }), red("banger doctor", { CLICOLOR: "0" }), red("banger doctor", { TERM: "dumb" }),
      red("banger doctor | cat", {}), red("banger doctor | cat", { CLICOLOR_FORCE: "1" }), red("banger doctor | cat", { CLICOLOR_FORCE: "1", NO_COLOR: "1" })])
    assert.deepStrictEqual(found, [true, false, false, false, false, true, false])
  })
})

describe("a pager", () => {
  const paged = (line: string, pager: string, screen: Screen = {}) => shows(line, { rows: 10, ...screen, env: { PAGER: "sed s/^/P:/", BANGER_PAGER: pager } })

  it.concurrent("has what is longer than the screen, and nothing else", async () => {
    const [long, short, followed, help] = await Promise.all([
      paged("banger vm logs box", "sed s/^/B:/"), paged("banger vm logs --tail 3 box", "sed s/^/B:/"), paged("banger vm logs box | tail -1", "sed s/^/B:/"), paged("banger --help", "sed s/^/B:/")])
    assert.match(long, /^B:line 0\r\n[^]*B:line 99\r\n$/)
    assert.strictEqual(short, "line 97\r\nline 98\r\nline 99\r\n")
    assert.strictEqual(followed, "line 99\r\n")
    assert.match(help, /^B:Usage: banger COMMAND\r\n/)
  })

  it.concurrent("is none when it is empty, cat, missing, or not wanted", async () => {
    const [empty, cat, missing, unwanted] = await Promise.all([
      paged("banger vm logs box", ""), paged("banger vm logs box", "cat"), paged("banger vm logs box 2>/dev/null", "no-such-pager"), paged("banger vm logs --no-pager box", "sed s/^/B:/")])
    for (const text of [empty, cat, missing, unwanted]) assert.match(text.slice(text.indexOf("line 0")), /^line 0\r\n[^]*\r\nline 99\r\n$/)
  })

  it.concurrent("may be left early, and changes no status", async () => {
    assert.strictEqual(await paged("banger vm logs box; echo status $?", "head -1"), "line 0\r\nstatus 0\r\n")
    assert.match(await paged("banger doctor; echo status $?", "head -1", { rows: 3 }), /^.*firecracker.*\r\nstatus 1\r\n$/)
  })
})
