import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { commandHelp } from "../command-line/help.ts"
import { TREE } from "../command-line/tree.ts"
import { shipped, start } from "../testing/command-line.ts"
import { type FakeDaemon, startFakeDaemon } from "../testing/fake-daemon.ts"

const base = mkdtempSync(`${tmpdir()}/banger-commands-`)
const console_ = `${base}/console.log`
let daemon: FakeDaemon
let command: ReadonlyArray<string>
const env = { BANGER_SOCKET: `${base}/bangerd.sock`, BANGER_STAGING: `${base}/staging`, https_proxy: "http://proxy.example:3128", no_proxy: "near.example" }
/** What commands that fetch hand over of that environment; there is no banger-oci beside this command. */
const SESSION = { proxy: { https: "http://proxy.example:3128", noProxy: "near.example" }, logins: {} }

beforeAll(async () => {
  chmodSync(base, 0o755)
  mkdirSync(env.BANGER_STAGING)
  writeFileSync(console_, "one\ntwo\nthree\n")
  daemon = await startFakeDaemon(env.BANGER_SOCKET, `${base}/v.sock`, { consoleLog: console_ })
  command = await shipped()
}, 60_000)
afterAll(async () => {
  await daemon?.stop()
  rmSync(base, { recursive: true, force: true })
})

const argv = (line: string) => [...command, ...line.split(" ")]
const banger = (line: string, other: NodeJS.ProcessEnv = {}) => start(argv(line), { ...env, ...other }).ended
const parsed = async (line: string) => JSON.parse((await banger(line)).stdout)

describe("reading commands", () => {
  it.concurrent("vm list", async () => {
    const [few, all, ids, json] = await Promise.all([banger("vm list"), banger("vm list --all"), banger("vm list -aq"), parsed("vm list -a --json")])
    assert.match(few.stdout, /^NAME +STATE +IMAGE +VCPU +MEMORY +IP +UPTIME\nbox +running +debian-bookworm +2 +2 GiB +172\.16\.0\.5 +1m 5s\n/)
    assert.notInclude(few.stdout, "resting")
    assert.include(all.stdout, "resting  stopped")
    assert.match(ids.stdout, /^([0-9a-f]{16}\n){3}$/)
    // Each change is a list; the second one's first VM is gone.
    const watched = await banger("vm list --all --watch")
    assert.deepStrictEqual(watched.stdout.split("\n").map((line) => line.split(" ")[0]), ["NAME", "box", "hung", "resting", "NAME", "hung", "resting", ""])
    assert.strictEqual((await banger("vm list --watch --json")).status, 2)
    assert.deepStrictEqual(Object.keys(json[0]), [
      "id", "name", "state", "reason", "image", "kernel", "vcpu", "memoryMib", "diskMib", "nat", "address", "dns", "createdAt", "startedAt", "uptimeMs", "ephemeral", "autostart", "run", "vsock"])
  })

  it.concurrent("vm show, image list, image show, kernel list, daemon status, daemon socket", async () => {
    const [shown, detail, images, image, kernels, status, socket] = await Promise.all([
      banger("vm show box"), parsed("vm show box --json"), banger("image list"), parsed("image show debian-bookworm --json"), parsed("kernel list --json"),
      parsed("daemon status --json"), banger("daemon socket")])
    assert.match(shown.stdout, /\ndisks +work: 1 MiB of 1 GiB\n$/)
    assert.strictEqual(detail.vm.name, "box")
    assert.match(images.stdout, /debian-bookworm +3 MiB +- +1970-01-01 +box/)
    assert.strictEqual(image.files.generation, 1)
    assert.deepStrictEqual(kernels, [])
    assert.strictEqual(status.pid, 7)
    assert.strictEqual(socket.stdout, `${env.BANGER_SOCKET}\n`)
  })

  it.concurrent("doctor", async () => {
    const [text, json, leaks] = await Promise.all([banger("doctor"), banger("doctor --json"), banger("doctor --leaks")])
    assert.deepStrictEqual([text.status, json.status, leaks.status], [1, 1, 1])
    assert.strictEqual(text.stdout, `ok    firecracker: 1.13.1\nwarn  dns routing: no resolved\n      see docs\nFAIL  nat iptables: it is missing\n      touch ${console_}.mended\n`)
    assert.strictEqual(JSON.parse(json.stdout).length, 3)
    assert.strictEqual(leaks.stdout, "FAIL  left over: tap bng9\n")
  })

  it.concurrent("doctor --fix runs what mends, and looks again; --bundle keeps names to itself", async () => {
    const log = `${base}/mending.log`
    const other = await startFakeDaemon(`${base}/mending.sock`, "", { consoleLog: log })
    const at = { BANGER_SOCKET: `${base}/mending.sock` }
    const [unasked, report] = await Promise.all([banger("doctor --fix", at), banger(`doctor --bundle ${base}/report`, at)])
    assert.deepStrictEqual([unasked.status, unasked.stderr], [2, "banger: --fix asks before each command, and nobody can answer here\n  banger doctor --fix --yes runs them all\n"])
    assert.strictEqual(report.status, 1)
    const text = readFileSync(`${base}/report`, "utf8")
    assert.match(text, /^== banger\nversion [^]*"it is missing"[^]*tap bng9[^]*"vm-3"/)
    assert.notMatch(text, /resting|hung/)
    const mended = await banger("doctor --fix --yes", at)
    assert.strictEqual(mended.stderr, `nat iptables: it is missing\nrun: touch ${log}.mended\n`)
    assert.deepStrictEqual([mended.status, mended.stdout], [0, "ok    firecracker: 1.13.1\nwarn  dns routing: no resolved\n      see docs\nok    nat iptables: found\n"])
    const [again, taken] = await Promise.all([banger("doctor --fix --yes", at), banger(`doctor --bundle ${base}/report`, at)])
    assert.strictEqual(again.stderr, "nothing was run\n")
    assert.deepStrictEqual([taken.status, taken.stderr.split("\n")[1]], [1, "  name a file that does not exist yet"])
    await other.stop()
  })

  it.concurrent("vm logs", async () => {
    const [whole, tail, none, missing, events, recent, misused] = await Promise.all([
      banger("vm logs box"), banger("vm logs box --tail 2"), banger("vm logs --tail 0 box"), banger("vm logs box --firecracker"),
      banger("vm logs box --daemon"), banger("vm logs box --daemon --since 2020-01-01T12:00Z"), banger("vm logs box --since 1h")])
    assert.strictEqual(whole.stdout, "one\ntwo\nthree\n")
    assert.strictEqual(tail.stdout, "two\nthree\n")
    assert.strictEqual(none.stdout, "")
    assert.match(missing.stderr, /^banger: cannot read .*: the VM has written none yet\n$/)
    assert.strictEqual(events.stdout, "2020-01-01T00:00:00Z created\n2020-01-02T00:00:00Z started\n")
    assert.strictEqual(recent.stdout, "2020-01-02T00:00:00Z started\n")
    assert.strictEqual(misused.status, 2)
  })

  it("vm logs -f follows, also a log that was shortened", async () => {
    const log = `${base}/followed.log`
    writeFileSync(log, "old\nlast\n")
    const other = await startFakeDaemon(`${base}/other.sock`, "", { consoleLog: log })
    const { child, ended } = start(argv("vm logs -f --tail 1 box"), { ...env, BANGER_SOCKET: `${base}/other.sock` })
    let seen = ""
    child.stdout?.on("data", (text) => seen += text)
    const until = async (text: string) => {
      while (!seen.includes(text)) await sleep(5)
    }
    await until("last\n")
    appendFileSync(log, "more\n")
    await until("more\n")
    truncateSync(log, 0)
    await sleep(50)
    appendFileSync(log, "anew\n")
    await until("anew\n")
    child.kill("SIGINT")
    assert.strictEqual((await ended).status, 130)
    assert.strictEqual(seen, "last\nmore\nanew\n")
    await other.stop()
  })
})

describe("acting commands", () => {
  it.concurrent("what waits for a daemon that starts ends by a signal, and has asked it for nothing", async () => {
    const server = Net.createServer()
    let said = ""
    const asked = new Promise<void>((resolve) => server.on("connection", (socket) => void socket.on("error", () => {}).on("data", (bytes) => {
      said += String(bytes)
      resolve()
    })))
    await new Promise<void>((resolve) => server.listen(`${base}/silent.sock`, resolve))
    const { child, ended } = start(argv("vm stop box"), { ...env, BANGER_SOCKET: `${base}/silent.sock` })
    await asked
    // By then a timer is set that ends later than those that ran while the snapshot was made: it must be rung, too.
    await sleep(1_000)
    child.kill("SIGTERM")
    assert.strictEqual((await ended).status, 143)
    assert.strictEqual(said, `{"_tag":"Ping"}\n`)
    server.close()
  })

  it.concurrent("vm create prints the name, or every event", async () => {
    const [text, json] = await Promise.all([banger("vm create --name made --memory 512"), banger("vm create --name made2 --json")])
    assert.strictEqual(text.stdout, "made\n")
    assert.match(text.stderr, /^spec: .*\n {2}made the disk +12 ms\n$/)
    assert.deepStrictEqual(json.stdout.trim().split("\n").map((line) => JSON.parse(line)._tag), ["Planned", "Begun", "Begun", "Step", "Finished"])
  })

  it.concurrent("one VM's failure is an ordinary error; of several each is a line", async () => {
    const [one, busy, many, json] = await Promise.all([
      banger("vm start nothing"), banger("vm stop hung"), banger("vm stop box hung nothing --timeout 30s"), banger("vm stop hung --json")])
    assert.deepStrictEqual([one.status, one.stderr], [3, "banger: there is no VM nothing\n  banger vm list --all shows what there is\n"])
    assert.strictEqual(busy.status, 4)
    assert.strictEqual(many.status, 1)
    assert.strictEqual(many.stdout, "box is stopped: in order\n")
    assert.deepStrictEqual(many.stderr.trim().split("\n").toSorted().map((line) => line.slice(0, line.indexOf(" ("))), ["hung is busy: being stopped", "there is no VM nothing"])
    assert.deepStrictEqual(JSON.parse(json.stderr), { error: { kind: "vm-busy", message: "hung is busy: being stopped", hint: "try again when that is done" } })
    assert.deepInclude(daemon.calls.map(([call, payload]) => [call, JSON.stringify(payload)]), ["Stop", JSON.stringify({ vm: "box", timeoutMs: 30_000 })])
  })

  it.concurrent("--all means those to which it can be done", async () => {
    assert.strictEqual((await banger("vm start --all")).stdout, "resting runs\n")
    const [none, both] = await Promise.all([banger("vm start"), banger("vm start box --all")])
    assert.deepStrictEqual([none.status, both.status], [2, 2])
  })

  it.concurrent("vm delete does not ask where nobody can answer; vm kill takes a signal's name", async () => {
    const [deleted, killed, misused] = await Promise.all([banger("vm delete box --force"), banger("vm kill box --signal sigterm"), banger("vm kill box -s NOPE")])
    assert.strictEqual(deleted.stdout, "box is deleted\n")
    assert.strictEqual(killed.stdout, "box: sent SIGTERM\n")
    assert.strictEqual(misused.status, 2)
  })

  it.concurrent("vm set says what is to change, and asks for something to; vm wait returns when a VM is as it should be, and says when it cannot be", async () => {
    const [nothing, changed, ready, down, never] = await Promise.all(["vm set box", "vm set resting --memory 512 --no-nat", "vm wait box", "vm wait resting --for stopped", "vm wait resting"].map((line) => banger(line)))
    assert.deepStrictEqual([nothing?.status, changed?.stdout], [2, "resting is changed\n"])
    assert.deepInclude(daemon.calls.map(([call, payload]) => [call, JSON.stringify(payload)]), ["Set", JSON.stringify({ vm: "resting", change: { memoryMib: 512, nat: false } })])
    assert.deepStrictEqual([ready, down, never].map((end) => end?.status), [0, 0, 4])
  })

  it.concurrent("vm stats has the difference of two looks, and figures of VMs that do not run are none; vm rename gives another name", async () => {
    const [people, resting, watched, renamed, bad] = await Promise.all([
      banger("vm stats"), banger("vm stats --json resting"),
      start(["sh", "-c", `${argv("vm stats --watch --json box").join(" ")} | head -2`], env).ended, banger("vm rename resting quiet"), banger("vm rename resting No")
    ])
    assert.match(people?.stdout ?? "", /^NAME +CPU +MEMORY +IN THE GUEST .*\nbox +150\.0% +300 MiB of 2 GiB +(-|[0-9.]+ [MG]iB of [0-9.]+ [MG]iB) +1 GiB +2 KiB +5 B\n$/)
    assert.deepInclude(JSON.parse(resting?.stdout ?? ""), { name: "resting", state: "stopped", cpuPercent: null, memoryBytes: null, guestUsedBytes: null, diskBytes: 2 ** 30, sentBytes: null })
    assert.deepStrictEqual(watched?.stdout.trim().split("\n").map((line) => JSON.parse(line).cpuPercent), [150, 150])
    assert.deepStrictEqual([renamed?.status, bad?.status], [0, 2])
    assert.deepInclude(daemon.calls.map(([call, payload]) => [call, JSON.stringify(payload)]), ["Set", JSON.stringify({ vm: "resting", change: { name: "quiet" } })])
  })

  it.concurrent("internal nat needs a TAP and an address that can be one, and root", async () => {
    const [bare, half, tap, address, below, down] = await Promise.all(["up", "up --tap tap0", "up --tap tap* --address 172.30.0.2", "up --tap tap0 --address 172.30.0.2/30", "up tap0", "down --address 172.30.0.2"].map((line) => banger(`internal nat ${line}`)))
    assert.deepStrictEqual([bare, half, tap, address, below, down].map((end) => end?.status), [2, 2, 2, 2, 2, 2])
    assert.strictEqual(half?.stderr, "banger: --address is missing\n  sudo banger internal nat up --tap tap0 --address 172.30.0.2\n")
    assert.match(tap?.stderr ?? "", /^banger: --tap: expected the name of a link such as tap0\n/)
    assert.match(address?.stderr ?? "", /^banger: --address: expected an IPv4 address of a machine such as 172\.30\.0\.2\n/)
    const asNobody = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
    const { status, stderr } = await start([...asNobody, ...argv("internal nat down --tap tap0 --json")], env).ended
    assert.strictEqual(status, 1)
    assert.deepInclude(JSON.parse(stderr).error, { kind: "local-failure", message: "banger internal nat needs root" })
  })

  it.concurrent("vm delete asks on a terminal, and no answer is no", async () => {
    const { child, ended } = start(["script", "-qec", argv("vm delete resting").join(" "), "/dev/null"], env, null)
    child.stdout?.on("data", (text) => String(text).includes("[y/N]") && child.stdin?.write("n\r"))
    const { status, stdout } = await ended
    assert.include(stdout, "delete resting and what is on their disks? [y/N]")
    assert.include(stdout, "nothing is deleted")
    assert.strictEqual(status, 1)
  })

  it.concurrent("image register stages copies, and leaves none behind", async () => {
    const ext4 = Buffer.alloc(4096)
    ext4.writeUInt16LE(0xef53, 1024 + 0x38)
    writeFileSync(`${base}/rootfs.ext4`, ext4)
    writeFileSync(`${base}/text`, "not a file system")
    const [done, wrong, missing, unnamed, unknown, half, twice] = await Promise.all([
      banger(`image register --name x --rootfs ${base}/rootfs.ext4`), banger(`image register --name x --rootfs ${base}/text`),
      banger(`image register --name x --rootfs ${base}/missing`), banger("image register --name x"),
      banger(`image register --name x --rootfs ${base}/rootfs.ext4 --kernel none`),
      banger(`image register --name x --rootfs ${base}/rootfs.ext4 --vmlinux ${base}/text`),
      banger(`image register --name x --rootfs ${base}/rootfs.ext4 --vmlinux ${base}/text --modules ${base} --kernel host`)])
    assert.strictEqual(done.status, 0)
    assert.match(wrong.stderr, /^banger: cannot use .*text: it is not an ext4 file system\n {2}banger image import /)
    assert.deepStrictEqual([missing.status, unnamed.status, unknown.status, half.status, twice.status], [1, 2, 3, 2, 2])
    assert.include(half.stderr, "--vmlinux and --modules go together")
    const [, registered] = daemon.calls.find(([call]) => call === "Register") ?? []
    assert.match((registered as { rootfs: string }).rootfs, /^[0-9a-f]{16}$/)
    assert.deepStrictEqual(readdirSync(env.BANGER_STAGING), [])
    assert.strictEqual((await banger("image delete debian-bookworm")).status, 4)
  })

  it.concurrent("image pull and import ask the daemon, and print what was made", async () => {
    writeFileSync(`${base}/app.tar.gz`, "an archive")
    // Of its own: the test above looks at what lies in the other.
    const staging_ = `${base}/staging-of-imports`
    mkdirSync(staging_)
    const [pulled, noScheme, noName, imported, json] = await Promise.all([
      banger("image pull oci://registry.example:5000/team/app:v1 --size 2G --insecure"), banger("image pull Debian:12"), banger("image pull oci://UPPER!"),
      banger(`image import ${base}/app.tar.gz`, { BANGER_STAGING: staging_ }), banger("image pull oci://debian:12 --name deb --json")])
    assert.deepStrictEqual([pulled.status, pulled.stdout, noScheme.status, noName.status, imported.status], [0, "made\n", 2, 2, 0])
    assert.match(pulled.stderr, /^ {2}fetched +5 ms\n$/)
    assert.include(noScheme.stderr, "banger image pull oci://Debian:12")
    assert.deepStrictEqual(json.stdout.trim().split("\n").map((line) => JSON.parse(line)._tag), ["Phase", "Step", "Made"])
    const pulls = daemon.calls.filter(([call]) => call === "Pull").map(([, payload]) => payload)
    assert.deepInclude(pulls, { name: "app-v1", reference: "registry.example:5000/team/app:v1", sizeMib: 2048, insecure: true, session: SESSION })
    const [, { name, path, staging }] = daemon.calls.find(([call]) => call === "Import") as [string, { name: string; path: string; staging: string }]
    assert.deepStrictEqual([name, path], ["app", `${base}/app.tar.gz`])
    assert.match(staging, /^[0-9a-f]{16}$/)
  })

  it.concurrent("kernel pull says when no catalog has the name", async () => {
    const [unknown, unnamed] = await Promise.all([banger("kernel pull mine"), banger("kernel pull")])
    assert.deepStrictEqual([unknown.status, unnamed.status], [1, 2])
    assert.match(unknown.stderr, /^banger: cannot use kernel mine: no catalog has it\n/)
  })
})

describe("the catalog, builds and the disk", () => {
  it.concurrent("image pull that is interrupted ends the work, unless somebody else watches it", async () => {
    const { child, ended } = start(argv("image pull oci://slow.example/app:1 --name slow"), env)
    while (!daemon.calls.some(([call, payload]) => call === "Pull" && (payload as { name: string }).name === "slow")) await sleep(20)
    child.kill("SIGINT")
    const { status, stderr } = await ended
    assert.strictEqual(status, 130)
    assert.match(stderr, /slow is not made: cancelled; what was fetched is kept/)
    assert.deepInclude(daemon.calls, ["Cancel", { name: "slow" }])
  })

  it.concurrent("image pull NAME asks for what the catalog knows", async () => {
    const [got, mixed] = await Promise.all([banger("image pull void --update"), banger("image pull void --size 2G")])
    assert.deepStrictEqual([got.status, got.stdout, mixed.status], [0, "made\n", 2])
    assert.deepInclude(daemon.calls, ["Get", { name: "void", update: true, session: SESSION }])
  })

  it.concurrent("image build sends the script, and shows its output before the result", async () => {
    writeFileSync(`${base}/setup.sh`, "#!/bin/sh\necho hello\n")
    writeFileSync(`${base}/big.sh`, "x".repeat(600 << 10))
    const [built, nothing, big, unnamed] = await Promise.all([
      banger(`image build --name dev --script ${base}/setup.sh --size 2G --docker`), banger(`image build --name dev --script ${base}/none.sh`),
      banger(`image build --name dev --script ${base}/big.sh`), banger(`image build --script ${base}/setup.sh`)])
    assert.deepStrictEqual([built.status, nothing.status, big.status, unnamed.status], [0, 1, 1, 2])
    assert.deepStrictEqual([built.stdout, built.stderr], ["made\n", "  started                      5 ms\nthe guest speaks\n"])
    assert.match(big.stderr, /at most 524288 bytes/)
    const [, request] = daemon.calls.find(([call]) => call === "Build") ?? []
    assert.deepStrictEqual(request, { name: "dev", from: "debian-bookworm", script: "#!/bin/sh\necho hello\n", diskMib: 8192, docker: true, again: false, sizeMib: 2048, session: SESSION })
  })

  it.concurrent("vm create makes a missing image first, as the catalog has it", async () => {
    const { status, stderr, stdout } = await banger("vm create --name first --image absent")
    assert.deepStrictEqual([status, stdout], [0, "first\n"])
    assert.match(stderr, /^image absent is not here yet: made now, once, if a catalog has it\n {2}fetched +5 ms\nmade\nspec: /)
    assert.strictEqual((await banger("vm create --image nowhere")).status, 3)
  })

  it.concurrent("vm logs says that a console is empty, for nobody to look for what was never written", async () => {
    writeFileSync(`${base}/quiet.log`, "")
    const quiet = await startFakeDaemon(`${base}/quiet.sock`, "/nonexistent", { consoleLog: `${base}/quiet.log` })
    const { status, stderr, stdout } = await banger("vm logs box", { BANGER_SOCKET: `${base}/quiet.sock` })
    await quiet.stop()
    assert.deepStrictEqual([status, stdout], [0, ""])
    assert.match(stderr, /^the console of box is empty: .* banger vm logs --daemon box tells what was done with it\n$/)
  })

  it.concurrent("catalog says what can be pulled by its name", async () => {
    const [text, offers] = await Promise.all([banger("catalog"), parsed("catalog --json")])
    assert.match(text.stdout, /^KIND +NAME +WHAT IT IS\nimage +void +Void Linux\nkernel +debian-6\.1 +Debian 12's kernel\n$/)
    assert.deepStrictEqual(offers.map(({ name }: { name: string }) => name), ["void", "debian-6.1"])
  })

  it.concurrent("df counts, prune removes what it marks", async () => {
    const [df, json, dry, pruned] = await Promise.all([banger("df"), parsed("df --json"), banger("prune --dry-run"), banger("prune")])
    assert.match(df.stdout, /image +image debian-bookworm +2 MiB +3 MiB\nlayers +2 layers of container images \* +1 MiB +1 MiB\n +in all +3 MiB\n/)
    assert.deepStrictEqual(json.usages.map(({ removable }: { removable: boolean }) => removable), [false, true])
    assert.deepStrictEqual([dry.stdout, pruned.stdout], ["2 layers of container images: 1 MiB\n1 MiB would be freed\n", "2 layers of container images: 1 MiB\n1 MiB freed\n"])
  })
})

describe("help", () => {
  it.concurrent("of every command ends with examples", async () => {
    const { stdout } = await banger("--help")
    const commands = stdout.split("\n").map((line) => /^ {2}((?:vm|image|bundle|kernel|daemon|system) \w+|catalog|doctor|df|prune) {2}/.exec(line)?.[1]).filter((path) => path !== undefined)
    assert.isAbove(commands.length, 20)
    for (const { command } of TREE.values()) {
      assert.match(commandHelp(command), /^Usage: banger [^]*\n\nExamples:\n( {2}.*banger .*\n)+$/)
    }
  })

  it.concurrent("is what a wrong command line names", async () => {
    const [none, wrong, extra] = await Promise.all([banger("vm"), banger("vm lst"), banger("vm show")])
    for (const { status, stderr } of [none, wrong, extra]) {
      assert.strictEqual(status, 2)
      assert.isAtMost(stderr.trim().split("\n").length, 3)
    }
  })
})

describe("a command that is root's", () => {
  it.concurrent("says so, with all that was typed behind sudo", async () => {
    const asNobody = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
    const { status, stderr } = await start([...asNobody, ...argv("system apply --dry-run")], env).ended
    assert.strictEqual(status, 1)
    assert.match(stderr, /^banger: banger system apply needs root\n {2}sudo \S+ system apply --dry-run\n$/)
    assert.strictEqual((await banger("system apply now")).status, 2)
  })
})

describe("a daemon that cannot be reached", () => {
  it.concurrent("is named with its reason and the command that mends it", async () => {
    const [missing, run] = await Promise.all([banger("vm list", { BANGER_SOCKET: `${base}/nothing` }), banger("vm run -- true", { BANGER_SOCKET: `${base}/nothing` })])
    assert.deepStrictEqual([missing.status, run.status], [5, 125])
    const installed = existsSync("/etc/systemd/system/bangerd.socket")
    assert.include(missing.stderr, installed ? "sudo systemctl start bangerd.socket" : "sudo ./build/bin/banger system install --owner $USER")
  })

  it.concurrent("where its socket lies there without it, it is not running", async () => {
    const stale = `${base}/stale.sock`
    const holder = start([process.execPath, "-e", `require("net").createServer().listen(${JSON.stringify(stale)})`], {}, null)
    while (!existsSync(stale)) await sleep(5)
    holder.child.kill("SIGKILL")
    await holder.ended
    const { status, stderr } = await banger("vm list", { BANGER_SOCKET: stale })
    assert.strictEqual(status, 5)
    assert.match(stderr, /^banger: the daemon is not running: .*\n {2}sudo systemctl start bangerd\.socket; journalctl -u bangerd -n 50 says why it does not run\n$/)
  })

  it.concurrent("belongs to another user", async () => {
    const closed = `${base}/closed.sock`
    const other = await startFakeDaemon(closed, "", { consoleLog: "" })
    chmodSync(closed, 0)
    // Root may connect to anything, so it becomes somebody else.
    const asNobody = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
    const { status, stderr } = await start([...asNobody, ...argv("vm list")], { ...env, BANGER_SOCKET: closed }).ended
    await other.stop()
    assert.strictEqual(status, 5)
    assert.match(stderr, /^banger: this banger belongs to \w+: only that user may talk to its daemon\n {2}log in as /)
  })

  it.concurrent("went away in the middle", async () => {
    const socket = `${base}/rude.sock`
    const rude = Net.createServer((connection) => connection.once("data", () => connection.destroy()))
    await new Promise<void>((resolve) => rude.listen(socket, resolve))
    const { status, stderr } = await banger("vm list", { BANGER_SOCKET: socket })
    rude.close()
    assert.deepStrictEqual([status, stderr.split("\n")[0]], [5, "banger: the daemon went away before it had answered"])
  })
})
