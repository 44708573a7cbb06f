import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import * as net from "node:net"
import { tmpdir } from "node:os"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { shipped, start } from "../testing/command-line.ts"
import { type FakeDaemon, startFakeDaemon } from "../testing/fake-daemon.ts"
import { isHere, offered, type Shell, SHELLS } from "../testing/shells.ts"
import { SCRIPTS } from "./scripts.ts"

const base = mkdtempSync(`${tmpdir()}/banger-completion-`)
const bin = `${base}/bin`
/** A command that knows one name, which a shell must quote. */
const odd = `${base}/odd`
const env = (programs: string) => ({ PATH: `${programs}:${process.env["PATH"] ?? ""}`, BANGER_SOCKET: `${base}/bangerd.sock`, HOME: base })
let daemon: FakeDaemon
let command: ReadonlyArray<string>
const silent = net.createServer()

const program = (at: string, text: string) => {
  mkdirSync(at)
  writeFileSync(`${at}/banger`, `#!/bin/sh\n${text}\n`)
  chmodSync(`${at}/banger`, 0o755)
}

beforeAll(async () => {
  command = await shipped()
  program(bin, `exec ${command.map((word) => `'${word}'`).join(" ")} "$@"`)
  program(odd, `printf "words\\n%s\\tit's odd\\n" 'an odd $name'`)
  mkdirSync(`${base}/cwd`)
  writeFileSync(`${base}/cwd/a-file`, "")
  for (const shell of SHELLS) writeFileSync(`${base}/${shell}`, SCRIPTS[shell])
  daemon = await startFakeDaemon(`${base}/bangerd.sock`, "/nonexistent", { consoleLog: `${base}/console` })
  await new Promise<void>((resolve) => silent.listen(`${base}/silent.sock`, resolve))
}, 300_000)
afterAll(async () => {
  await daemon?.stop()
  silent.close()
  rmSync(base, { recursive: true, force: true })
})

/** What is typed, and what every shell offers for it. */
const CASES: ReadonlyArray<readonly [line: string, words: ReadonlyArray<string>]> = [
  ["banger vm sto", ["stop"]],
  ["banger vm st", ["start", "stats", "stop"]],
  ["banger vm stop ", ["box", "hung"]],
  ["banger vm start ", ["resting"]],
  ["banger vm stop box ", ["hung"]],
  ["banger vm stop \"bo", ["box"]],
  ["banger vm stop 'bo", ["box"]],
  ["banger rm re", ["resting"]],
  ["banger vm create --image de", ["debian-bookworm"]],
  ["banger vm create --image=de", ["--image=debian-bookworm"]],
  ["banger vm run --history ", ["auto", "full", "shallow"]],
  ["banger vm run --hist", ["--history"]],
  ["banger completion ", ["bash", "fish", "powershell", "zsh"]],
  ["banger kernel delete ", []],
  ["banger image pull ", ["void"]],
  ["banger kernel pull deb", ["debian-6.1"]],
  ["banger vm stop nosuch", []]
]
/** Files, and VMs whose paths go on behind the colon; their own files nobody knows. */
const PLACES: ReadonlyArray<readonly [line: string, words: ReadonlyArray<string>]> = [["banger vm cp bo", ["box:"]], ["banger vm cp box:/etc/hosts ./a", []], ["banger cp hu", ["hung:"]], ["banger vm cp box:/e", []], ["banger vm cp re", []]]
const FILES = "banger image register --rootfs "
const GUEST = "banger vm exec box -- gre"
const ODD = "banger vm stop an"
const ODD_QUOTED = "banger vm stop \"an"

/** bash replaces what is behind the last = or : alone, and zsh and fish quote what is offered themselves. */
const as = (shell: Shell, word: string) => shell === "bash" ? word.replace(/^--image=/, "") : word
const oddly: Readonly<Record<Shell, readonly [string, string]>> = {
  bash: ["an\\ odd\\ \\$name", "an odd \\$name"], zsh: ["an odd $name", "an odd $name"], fish: ["an odd $name", "an odd $name"]
}

describe("completion", () => {
  for (const shell of SHELLS) {
    it.skipIf(!isHere(shell))(`is driven by ${shell} (skipped where it is not installed)`, { timeout: 300_000 }, async () => {
      const options = { cwd: `${base}/cwd`, env: env(bin) }
      const script = `${base}/${shell}`
      const found = await offered(shell, script, [...[...CASES, ...PLACES].map(([line]) => line), FILES, GUEST], options)
      for (const [line, words] of CASES) assert.deepStrictEqual(found.get(line), words.map((word) => as(shell, word)), `${shell}: ${line}`)
      for (const [line, words] of PLACES) assert.deepStrictEqual(found.get(line)?.filter((word) => !/^files|a-file|nospace/.test(word)), words, `${shell}: ${line}`)
      assert.match(found.get("banger vm cp box:/etc/hosts ./a")?.join() ?? "", /files|a-file/)
      assert.match(found.get(FILES)?.join() ?? "", shell === "fish" ? /a-file/ : /^files/)
      assert.include(found.get(GUEST) ?? [], "grep")
      const quoted = await offered(shell, script, [ODD, ODD_QUOTED], { ...options, env: env(odd) })
      assert.deepStrictEqual([quoted.get(ODD), quoted.get(ODD_QUOTED)], oddly[shell].map((word) => [word]))
    })
  }

  it.each([["is down", "gone.sock"], ["does not answer", "silent.sock"]])("offers nothing and says nothing when the daemon %s", async (_, socket) => {
    const { status, stderr, stdout } = await start([...command, "__complete", "vm", "stop", ""], { BANGER_SOCKET: `${base}/${socket}` }).ended
    assert.deepStrictEqual([status, stdout, stderr], [0, "words\n", ""])
  })

  it("of PowerShell asks the same, and takes the same answers", () => {
    for (const text of ["__complete", "'words'", "StartsWith($word)", "-CommandName banger"]) assert.include(SCRIPTS.powershell, text)
    const balance = (open: string, close: string) => SCRIPTS.powershell.split(open).length - SCRIPTS.powershell.split(close).length
    assert.deepStrictEqual([balance("{", "}"), balance("(", ")")], [0, 0])
  })
})
