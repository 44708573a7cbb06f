import { createHash, randomBytes } from "node:crypto"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { buildAgent, startAgent, type TestAgent } from "../testing/agent.ts"
import { shipped, start } from "../testing/command-line.ts"
import { type FakeDaemon, startFakeDaemon, view } from "../testing/fake-daemon.ts"

const base = mkdtempSync(`${tmpdir()}/banger-session-`)
const program = buildAgent(base)
let agent: TestAgent
let daemon: FakeDaemon
let banger: ReadonlyArray<string>
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  if (program === undefined) return
  agent = await startAgent(program)
  daemon = await startFakeDaemon(`${base}/bangerd.sock`, agent.socket, { consoleLog: "" })
  banger = await shipped()
  env = { BANGER_SOCKET: `${base}/bangerd.sock` }
}, 60_000)
afterAll(async () => {
  agent?.stop()
  await daemon?.stop()
  rmSync(base, { recursive: true, force: true })
})

const argv = (flags: ReadonlyArray<string>, command: ReadonlyArray<string>) =>
  [...banger, "vm", "exec", "box", "--cwd", "/tmp", "--user", agent.user, ...flags, "--", ...command]
const exec = (flags: ReadonlyArray<string>, command: ReadonlyArray<string>, stdin?: string | Buffer) => start(argv(flags, command), env, stdin ?? "").ended
const sh = (script: string, stdin?: string | Buffer) => exec([], ["sh", "-c", script], stdin)

/** On a terminal of its own, typed as `keys` says once the text before each has appeared. */
const onTerminal = async (command: ReadonlyArray<string>, keys: ReadonlyArray<readonly [string, string]>) => {
  const quoted = argv([], command).map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ")
  const { child, ended } = start(["script", "-qec", `stty cols 100 rows 30; ${quoted}; echo status $?; stty -a`, "/dev/null"], { ...env, TERM: "xterm" }, null)
  let seen = ""
  child.stdout?.on("data", (text) => seen += text)
  for (const [awaited, typed] of keys) {
    while (!seen.includes(awaited)) await sleep(10)
    child.stdin?.write(typed)
  }
  const { stdout } = await ended
  return stdout
}

describe.skipIf(program === undefined)("a command in a guest", () => {
  it.concurrent("ends with its own status, or 128+n, 126, 127", async () => {
    const [plain, signalled, missing, blocked] = await Promise.all([
      sh("echo out; echo err >&2; exit 42"), sh("kill -TERM $$"), exec([], ["no-such-command"]), exec([], ["/etc/passwd"])])
    assert.deepStrictEqual(plain, { status: 42, stdout: "out\n", stderr: "err\n" })
    assert.strictEqual(signalled.status, 143)
    assert.strictEqual(missing.status, 127)
    assert.match(missing.stderr, /^banger: in the guest: .*no-such-command.*\n$/)
    assert.strictEqual(blocked.status, 126)
  })

  it.concurrent("gets its input, and gives its output, byte for byte", async () => {
    const bytes = randomBytes(5 << 20)
    const { status, stdout } = await exec([], ["cat"], bytes)
    assert.strictEqual(status, 0)
    assert.strictEqual(createHash("sha256").update(Buffer.from(stdout, "latin1")).digest("hex"), createHash("sha256").update(bytes).digest("hex"))
  })

  it.concurrent("need not read what it is given", async () => {
    const { status, stdout } = await sh("echo done; exit 5", randomBytes(4 << 20))
    assert.deepStrictEqual([status, stdout], [5, "done\n"])
  })

  it.concurrent("has the environment, the directory and the words that were given", async () => {
    const { stdout } = await exec(["-e", "A=1 2", "--env", "B="], ["sh", "-c", 'printf "%s|" "$A" "$B" "$PWD" "$@"', "sh", "a b", "--rm", ""])
    assert.strictEqual(stdout, "1 2||/tmp|a b|--rm||")
  })

  it.concurrent("with -n leaves the lines of a loop to the loop, from a file and from a pipe that it shares", async () => {
    writeFileSync(`${base}/list`, "one\ntwo\nthree\n")
    const loop = 'while read -r x; do "$@" "$x" || exit; done'
    const flagged = argv(["-n"], ["echo"])
    const [file, pipe, rest, end] = await Promise.all([
      start(["bash", "-c", `${loop} <'${base}/list'`, "sh", ...flagged], env).ended,
      start(["bash", "-c", `cat '${base}/list' | ${loop}`, "sh", ...flagged], env).ended,
      start(["bash", "-c", `("$@"; cat) <'${base}/list'`, "sh", ...argv(["--no-stdin"], ["true"])], env).ended,
      start(argv(["-n"], ["cat"]), env, "never seen").ended
    ])
    assert.deepStrictEqual([file.stdout, pipe.stdout, rest.stdout, end.stdout], ["one\ntwo\nthree\n", "one\ntwo\nthree\n", "one\ntwo\nthree\n", ""])
  })

  it.concurrent("meets the end of an input that there is not, and waits for one that is slow", async () => {
    const inputs: Record<string, string> = { closed: "<&-", null: "</dev/null", directory: "</", "write only": "0>/dev/null" }
    const ran = await Promise.all(Object.values(inputs).map((input) => start(["bash", "-c", `"$@" ${input}`, "sh", ...argv([], ["sh", "-c", "cat; echo end"])], env).ended))
    assert.deepStrictEqual(ran.map(({ status, stdout }) => [status, stdout]), Object.keys(inputs).map(() => [0, "end\n"]))
    // Non-blocking, and empty for a while: not its end.
    const slow = "import os, sys, time, subprocess; r, w = os.pipe(); os.set_blocking(r, False); p = subprocess.Popen(sys.argv[1:], stdin=r); time.sleep(1); os.write(w, b'late'); os.close(w); sys.exit(p.wait())"
    const { status, stdout } = await start(["python3", "-c", slow, ...argv([], ["cat"])], env).ended
    assert.deepStrictEqual([status, stdout], [0, "late"])
  })

  it.concurrent("that lasts is told when its VM is paused and goes on, and ends with its own status", async () => {
    daemon.vms.push(view("crowded", agent.socket))
    // An ssh on another port than the agent asks about, which needs a key of banger's and no guest.
    const [home, bin] = [`${base}/crowded`, `${base}/crowded/bin`]
    for (const directory of [bin, `${home}/.local/state/banger/ssh`]) mkdirSync(directory, { recursive: true })
    writeFileSync(`${home}/.local/state/banger/ssh/id_ed25519`, "")
    writeFileSync(`${bin}/ssh`, "#!/bin/sh\nsleep 4; exit 7\n", { mode: 0o755 })
    const commands = [["exec", "crowded", "--cwd", "/tmp", "--user", agent.user, "--", "sh", "-c", "sleep 4; exit 7"], ["ssh", "crowded", "--", "-p", "2222"]]
    for (const { status, stderr } of await Promise.all(commands.map((words) => start([...banger, "vm", ...words], { ...env, HOME: home, PATH: `${bin}:${process.env["PATH"]}` }).ended))) {
      assert.strictEqual(status, 7)
      assert.match(stderr, /^crowded is paused: the disk is full; banger df .*\ncrowded goes on\n$/)
    }
  })

  it.concurrent("is ended by --timeout with 124", async () => {
    const { status } = await exec(["--timeout", "200ms"], ["sleep", "60"])
    assert.strictEqual(status, 124)
  })

  it.concurrent("is heard no more when nobody listens", async () => {
    const { stdout } = await start(["bash", "-c", `"$@" | head -c 4; echo " \${PIPESTATUS[0]}"`, "x", ...argv([], ["yes"])], env).ended
    assert.strictEqual(stdout, "y\ny\n 141\n")
  })

  it.concurrent("gets the first SIGINT; a second abandons it", async () => {
    const { child, ended } = start(argv([], ["sh", "-c", "trap 'echo caught' INT; echo ready; while :; do sleep 0.02; done"]), env)
    const heard = (text: string) => new Promise<void>((resolve) => child.stdout?.on("data", (chunk) => String(chunk).includes(text) && resolve()))
    await heard("ready")
    const caught = heard("caught")
    child.kill("SIGINT")
    await caught
    child.kill("SIGINT")
    assert.strictEqual((await ended).status, 130)
  })

  it.concurrent("gets SIGTERM, and its end is ours", async () => {
    const { child, ended } = start(argv([], ["sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.02; done"]), env)
    await new Promise((resolve) => child.stdout?.once("data", resolve))
    child.kill("SIGTERM")
    assert.strictEqual((await ended).status, 9)
  })

  it.concurrent("waits for a slow reader instead of filling memory", async () => {
    const { child, ended } = start(argv([], ["sh", "-c", "head -c 60000000 /dev/zero; echo end >&2"]), env)
    child.stdout?.pause()
    await sleep(700)
    const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "latin1"))?.[1])
    child.stdout?.resume()
    const { status, stdout } = await ended
    assert.strictEqual(status, 0)
    assert.strictEqual(stdout.length, 60_000_000)
    assert.isBelow(resident, 250_000)
  })

  it.concurrent("has a terminal when we have one, of our size, and ours is as it was afterwards", async () => {
    const seen = await onTerminal(["sh", "-c", "tty && stty size; read -r line; echo got $line"], [["30 100", "typed\r"]])
    assert.match(seen, /\/dev\/pts\/\d+/)
    assert.include(seen, "got typed")
    assert.include(seen, "status 0")
    assert.match(seen.slice(seen.indexOf("status")), / icanon .* echo |isig icanon/)
    assert.match(seen.slice(seen.indexOf("status")), /(^|\s)opost/)
  })

  it.concurrent("on a terminal gets every key, and is left by ~.", async () => {
    const seen = await onTerminal(["sh", "-c", "trap 'echo interrupted' INT; echo ready; while :; do sleep 0.02; done"], [["ready", "\x03"], ["interrupted", "\r~."]])
    assert.include(seen, "status 0")
  })
})

/** A guest of its own: files are put below its /root, which must not be this machine's. */
const wrapper = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /root && exec "$@"', "sh"]
const canUnshare = process.getuid?.() === 0

describe.skipIf(program === undefined || !canUnshare)("vm run", () => {
  let guest: TestAgent
  let runs: FakeDaemon
  const repo = `${base}/my repo`
  const run = (...args: ReadonlyArray<string>) => start([...banger, "vm", "run", ...args], { BANGER_SOCKET: `${base}/runs.sock` })
  const as = (home: string, ...args: ReadonlyArray<string>) => start([...banger, "vm", "run", ...args], { BANGER_SOCKET: `${base}/runs.sock`, HOME: home })
  const configured = (name: string, toml: string) => {
    mkdirSync(`${base}/${name}/.config/banger`, { recursive: true })
    writeFileSync(`${base}/${name}/.config/banger/config.toml`, toml)
    return `${base}/${name}`
  }
  const called = (name: string) => runs.calls.filter(([call]) => call === name).map(([, payload]) => payload as Record<string, unknown>)

  beforeAll(async () => {
    guest = await startAgent(program ?? "", wrapper)
    runs = await startFakeDaemon(`${base}/runs.sock`, guest.socket, { consoleLog: "" })
    mkdirSync(`${repo}/sub`, { recursive: true })
    writeFileSync(`${repo}/sub/file`, "content")
    const git = (...args: ReadonlyArray<string>) => start(["git", "-C", repo, "-c", "user.name=a", "-c", "user.email=a@x", ...args], {}).ended
    await git("init", "-q")
    await git("add", "-A")
    await git("commit", "-qm", "x")
  })
  afterAll(async () => {
    guest?.stop()
    await runs?.stop()
  })

  it("sends the repository, runs the command in it and ends with its status; the VM runs on", async () => {
    const { status, stderr, stdout } = await run(`${repo}/sub`, "--name", "kept", "--", "sh", "-c", "pwd; cat file; git status --porcelain; exit 7").ended
    assert.deepStrictEqual([status, stdout], [7, "/root/my repo/sub\ncontent"])
    assert.match(stderr, /^spec: 2 vCPU, 2048 MiB, disk 8 GiB, image debian-bookworm, kernel host\n {2}made the disk/)
    assert.match(stderr, /\n {2}1 file sent, 7 B .*\nkept runs on: banger vm exec kept .*\n$/)
    assert.deepStrictEqual(called("Create").at(-1), { name: "kept" })
    assert.deepStrictEqual(called("Delete"), [])
  })

  it("--rm names this process, holds the VM and deletes it at the end", async () => {
    const { status, stdout } = await run("--rm", "--name", "gone", "--vcpu", "4", "--disk-size", "16G", "--no-nat", "--", "echo", "hello").ended
    assert.deepStrictEqual([status, stdout], [0, "hello\n"])
    const wanted = called("Create").at(-1) as { ephemeral: { pid: number; startTime: string } }
    assert.match(wanted.ephemeral.startTime, /^\d+$/)
    assert.deepStrictEqual({ ...wanted, ephemeral: undefined }, { name: "gone", vcpu: 4, diskMib: 16_384, nat: false, ephemeral: undefined })
    assert.strictEqual(called("Hold").length, 1)
    assert.strictEqual(called("Delete").at(-1)?.["force"], true)
  })

  it("--rm deletes it after a signal, too", async () => {
    const before = called("Delete").length
    const { child, ended } = run("--rm", "--name", "signalled", "--", "sh", "-c", "echo ready; sleep 60")
    await new Promise((resolve) => child.stdout?.once("data", resolve))
    child.kill("SIGTERM")
    assert.strictEqual((await ended).status, 143)
    assert.strictEqual(called("Delete").length, before + 1)
  })

  it("refuses what is no work tree before anything is made, and a dry run makes nothing", async () => {
    const before = runs.calls.length
    const [refused, listed, misused] = await Promise.all([run(base).ended, run(repo, "--dry-run").ended, run("--vcpu", "3").ended])
    assert.strictEqual(refused.status, 125)
    assert.match(refused.stderr, /^banger: .* is not a git work tree: .*\n {2}git init .*; banger vm run --copy .*, or banger vm cp, sends it as it is\n$/)
    assert.strictEqual(listed.status, 0)
    assert.match(listed.stdout, /^sub\/file\n1 file, 7 B \(7 bytes\), to \/root\/my repo\nhistory: all of it, 0 tags, \d+ B\n$/)
    assert.strictEqual(misused.status, 2)
    assert.strictEqual(runs.calls.length, before)
  })

  it("refuses before anything is made what could only fail in the VM: no key for ssh, a work disk that is too small", async () => {
    const before = runs.calls.length
    const home = configured("disk", '[vm_defaults]\ndisk_size = "64G"\n')
    writeFileSync(`${repo}/hole`, "")
    truncateSync(`${repo}/hole`, 20 * 2 ** 30)
    const sent = (...flags: ReadonlyArray<string>) => [repo, "--include-untracked", ...flags, "--", "true"]
    const refused = await Promise.all([as(home, "--ssh", "--", "true").ended, as(base, ...sent()).ended, as(home, ...sent("--disk-size", "8G")).ended])
    rmSync(`${repo}/hole`)
    assert.deepStrictEqual(refused.map(({ status }) => status), [125, 125, 125])
    assert.match(refused[0].stderr, /^banger: there is no key .*\n {2}sudo banger system install --owner \$USER makes it\n$/)
    for (const { stderr } of refused.slice(1)) assert.match(stderr, /^banger: what is sent does not fit .*20 GiB.* 8 GiB\n {2}--disk-size 24G\n$/)
    assert.strictEqual(runs.calls.length, before)
  })

  it("sends as much of the history as the configuration says, unless the command line says it", async () => {
    const home = configured("history", '[vm_run]\nhistory = "shallow"\n')
    const [configuredly, given] = await Promise.all([as(home, repo, "--dry-run").ended, as(home, repo, "--dry-run", "--history", "full").ended])
    assert.include(configuredly.stdout, "history: the last commit alone")
    assert.include(given.stdout, "history: all of it")
  })
})
