/** `banger tui` as it is built, on a terminal (skipped where tmux is not installed). docs/tui.md has what it shows, and is compared with that here. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as http from "node:http"
import * as net from "node:net"
import { tmpdir } from "node:os"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { VmNotFound } from "@banger/domain/errors.ts"
import type { Progress } from "@banger/domain/progress.ts"
import { VmUsage, VmView } from "@banger/domain/vm.ts"
import { buildAgent, startAgent } from "../testing/agent.ts"
import { start as run } from "../testing/command-line.ts"
import { buildInto } from "../testing/build.ts"
import { type FakeDaemon, startFakeDaemon, view } from "../testing/fake-daemon.ts"
import { hasTmux, openScreen, type Screen } from "../testing/screen.ts"

const base = fs.mkdtempSync(`${tmpdir()}/banger-tui-`)
const socket = `${base}/bangerd.sock`
const log = `${base}/console.log`
const DOCS = new URL("../../../../docs/tui.md", import.meta.url)

/** A guest that only tells its ports. */
const guestWith = async (ports: ReadonlyArray<number>) => {
  const server = http.createServer((_, response) => void response.end(JSON.stringify({
    ports: ports.map((port) => ({ protocol: "tcp", address: "0.0.0.0", port, pid: 1, command: "server" })), total: ports.length
  })))
  const vsock = net.createServer((host) => void host.once("data", () => {
    host.write("OK 1073741824\n")
    server.emit("connection", host)
  }))
  await new Promise<void>((resolve) => vsock.listen(`${base}/guest.sock`, resolve))
  return { socket: `${base}/guest.sock`, close: () => vsock.close() }
}

const agent = hasTmux ? buildAgent(base) : undefined

describe.runIf(hasTmux && agent !== undefined)("banger tui", () => {
  let banger: string
  let guest: Awaited<ReturnType<typeof guestWith>>
  let machine: Awaited<ReturnType<typeof startAgent>>
  let daemon: FakeDaemon | undefined
  let screen: Screen
  const vms = Effect.runSync(SubscriptionRef.make<ReadonlyArray<VmView>>([]))
  const DAY = 86_400_000
  const vm = (name: string, state: VmView["state"], more: Partial<VmView> = {}) =>
    new VmView({ ...view(name, guest.socket, state), uptimeMs: state === "running" ? 3 * DAY + 4 * 3_600_000 : null, ...more })

  const find = (ref: string) => Effect.flatMap(SubscriptionRef.get(vms), (all) => {
    const found = all.find(({ id, name }) => String(id) === ref || name === ref)
    return found === undefined ? Effect.fail(new VmNotFound({ ref: ref as never })) : Effect.succeed(found)
  })

  const start = () => startFakeDaemon(socket, guest.socket, { consoleLog: log }, {
    "vm.Watch": () => Stream.rechunk(vms.changes, 1),
    "vm.Usage": ({ everyMs }) => {
      let look = 0
      return Stream.rechunk(Stream.repeatEffectWithSchedule(
        Effect.map(SubscriptionRef.get(vms), (all) => (look++, all.filter(({ state }) => state === "running").map((each) =>
          new VmUsage({ vm: each, atMs: look * everyMs, cpuMs: look * everyMs * 1.5, memoryBytes: 300 << 20, diskBytes: 1 << 30, sentBytes: 5, receivedBytes: 2048 })))),
        Schedule.spaced(everyMs)
      ), 1)
    },
    "vm.Get": ({ vm: ref }) => find(ref),
    "vm.Show": ({ vm: ref }) => Effect.map(find(ref), (found) => ({
      vm: found, imageDigest: "d".repeat(64) as never, kernelRelease: "6.1.0", mac: "02:62:6e:67:00:05", tap: "bng5", pid: 7,
      consoleLog: log, firecrackerLog: "/nonexistent", disks: [{ file: "work", apparentBytes: 8 << 30, allocatedBytes: 1 << 30 }]
    })),
    "vm.Events": () => Stream.concat(Stream.make("2026-01-01T00:00:00Z created", "2026-01-01T00:00:01Z started"), Stream.never),
    "vm.Start": ({ vm: ref }) => changed(ref, (found) => new VmView({ ...found, state: "running", uptimeMs: 0 }), "runs"),
    "vm.Delete": ({ vm: ref }) => changed(ref, () => undefined, "is deleted"),
    "vm.Create": ({ image = "none", name = "fresh" }) => Stream.suspend(() => {
      const made = vm(name, "running", { image: image as never })
      return Stream.concat(
        Stream.as(Stream.fromEffect(SubscriptionRef.update(vms, (all) => [...all, made])), { _tag: "Planned", vm: made } as const),
        Stream.make({ _tag: "Finished", vm: made, message: `${name} runs` } as const)
      )
    })
  })
  const changed = (ref: string, change: (found: VmView) => VmView | undefined, said: string): Stream.Stream<Progress> =>
    Stream.fromEffect(Effect.map(SubscriptionRef.getAndUpdate(vms, (all) => all.flatMap((each) => each.id === ref ? change(each) ?? [] : [each])), (before) => {
      const found = before.find(({ id }) => id === ref) as VmView
      return { _tag: "Finished", vm: found, message: `${found.name} ${said}` } as const
    }))

  beforeAll(async () => {
    banger = await buildInto(fs.mkdtempSync(`${base}/build-`))
    guest = await guestWith([22, 3000, 8080])
    machine = await startAgent(agent ?? "")
    fs.writeFileSync(log, "Linux version 6.1.0\n\x1b[31mOut of memory\x1b[0m: killed process 7\x1b]0;owned\x07\n")
  }, 120_000)
  afterAll(async () => {
    guest.close()
    machine.stop()
    fs.rmSync(base, { recursive: true, force: true })
  })

  /** On a terminal of so many columns and rows, with the VMs of the documentation. */
  const shown = async (columns: number, rows: number, env: Readonly<Record<string, string>> = {}) => {
    daemon = await start()
    await Effect.runPromise(SubscriptionRef.set(vms, [
      vm("sandbox", "running"), vm("api-tests", "stopped", { memoryMib: 4096 }), vm("scratch", "crashed"),
      vm("box", "running", { vsock: machine.socket, image: "alpine" as never })
    ]))
    screen = openScreen(`banger-${process.pid}`, { BANGER_SOCKET: socket, HOME: base, LANG: "C.UTF-8", LC_ALL: "C.UTF-8", ...env }, columns, rows)
    screen.press(`${banger} tui; echo "status $?"`, "Enter")
    return screen.until(/22 3000 8080[\s\S]*\n.*150%|150%[\s\S]*22 3000 8080/)
  }
  const end = async () => {
    screen?.close()
    await daemon?.stop()
    fs.rmSync(socket, { force: true })
  }
  afterEach(end)

  it("shows what docs/tui.md shows, at three sizes, and below the least only that", async () => {
    await shown(100, 24)
    // What listens on the machine of this test is nobody's business.
    await Effect.runPromise(SubscriptionRef.update(vms, (all) => all.filter(({ name }) => name !== "box")))
    screen.resize(90, 24)
    await screen.until(/^banger  3 VMs, 1 running\n[\s\S]*^s x r  c ssh/m)
    screen.resize(100, 24)
    const seen = [await screen.until(/^banger  3 VMs, 1 running\n.*UPTIME\n[\s\S]*q quit$/m)]
    screen.resize(60, 15)
    seen.push(await screen.until(/s x r  c ssh/))
    screen.resize(59, 15)
    await screen.until(/^60×15 are needed, here are 59×15; q leaves$/m)
    screen.resize(120, 30)
    await screen.until(/3 VMs, 1 running/)
    screen.press("Down", "Enter")
    seen.push(await screen.until(/1 GiB taken/))
    screen.press("Tab")
    seen.push(await screen.until(/killed process/))
    const docs = fs.readFileSync(DOCS, "utf8")
    for (const page of seen) assert.include(docs, page.replaceAll(/\n{3,}/g, "\n\n").trimEnd())
  }, 120_000)

  it("takes a paste, Alt and what follows a command for no keys of its own, and does nothing unseen", async () => {
    await shown(100, 24)
    screen.press("Home", "M-s", "M-x")
    screen.paste("git restore src")
    screen.press("Down", "e")
    await screen.until(/^run in box:$/m)
    screen.paste("sleep 0.1; exit 4\nrx\n")
    await screen.until(/^run in box: sleep 0.1; exit 4 rx$/m)
    screen.press("C-u")
    screen.press("-l", "exit 4\rrx")
    await screen.until(/status 4; enter goes back/)
    screen.press("Enter")
    await screen.until(/▸ box +running[\s\S]*^the command in box ended with status 4$/m)
    screen.resize(50, 10)
    await screen.until(/q leaves/)
    screen.press("x", "d", "y", "q")
    await screen.until(/^status 0$/m)
    assert.deepStrictEqual(daemon?.calls.filter(([call]) => ["Start", "Stop", "Restart", "Delete"].includes(call)), [])
    assert.strictEqual((await Effect.runPromise(SubscriptionRef.get(vms))).find(({ name }) => name === "api-tests")?.state, "stopped")
  }, 120_000)

  it("says what it does not understand of the daemon, and begins a page's logs anew when that is back", async () => {
    await shown(100, 24)
    screen.press("Home", "Down", "Enter", "Tab", "Tab")
    await screen.until(/created\n.*started\n\n/)
    await daemon?.stop()
    await screen.until(/^bangerd|daemon/m)
    fs.rmSync(socket, { force: true })
    daemon = await start()
    const back = await screen.until(/created\n.*started\n\n[\s\S]*\n\n\n.*tab next/)
    assert.strictEqual(back.split("created").length, 2)
    await daemon.stop()
    fs.rmSync(socket, { force: true })
    daemon = await startFakeDaemon(socket, guest.socket, { consoleLog: log }, { "vm.Watch": () => Stream.die("out of its mind") })
    await screen.until(/out of its mind/)
  }, 120_000)

  it("needs a terminal", async () => {
    for (const [program, ...args] of [[banger, "tui"], ["script", "-qec", `TERM=dumb ${banger} tui`, "/dev/null"]] as const) {
      const { status, stderr, stdout } = await run([program ?? "", ...args], {}).ended
      assert.strictEqual(status, 1)
      assert.match(stderr + stdout, /^banger: banger tui needs a terminal, for its keys and for what it shows\r?\n  banger vm list --json, or banger vm list --watch\r?\n$/)
    }
  })

  it("starts, creates and deletes VMs, and says what came of it", async () => {
    await shown(100, 24)
    screen.press("s")
    await screen.until(/▸ api-tests  running[\s\S]*^api-tests runs$/m)
    screen.press("d")
    await screen.until(/^delete api-tests, which runs, and what is on its disks\?$/m)
    screen.press("n")
    await screen.until(/q quit/)
    assert.include(await screen.until(/q quit/), "api-tests")
    screen.press("d")
    await screen.until(/^delete api-tests/m)
    screen.press("y")
    assert.notInclude((await screen.until(/^banger  3 VMs[\s\S]*^api-tests is deleted$/m)).replace("api-tests is deleted", ""), "api-tests")
    const take = async () => {
      screen.press("n")
      await screen.until(/which image\?/)
      screen.press("Enter")
      await screen.until(/^name of the VM of debian-bookworm:$/m)
    }
    await take()
    screen.press("-l", "No Name")
    screen.press("Enter")
    await screen.until(/expected a VM name: lower-case letters, digits and inner hyphens, at most 63/)
    await take()
    screen.press("n", "e", "w", "Enter")
    await screen.until(/▸ new +running[\s\S]*^new runs$/m)
    // Whatever is typed fast arrives at once.
    screen.press("-l", "/alp")
    const left = await screen.until(/filter: alp/)
    assert.include(left, "box")
    assert.notInclude(left, "sandbox")
  }, 120_000)

  it("leaves the terminal to a command in the VM, and has it back afterwards", async () => {
    await shown(100, 24)
    screen.press("Home", "Down", "e")
    await screen.until(/^run in box:$/m)
    screen.press("-l", "echo 2 | sed s/2/ready/; read -r line; echo \"got $line\"; exit 3")
    screen.press("Enter")
    await screen.until(/^ready$/m)
    screen.press("typed", "Enter")
    await screen.until(/got typed[\s\S]*\[status 3; enter goes back\]/)
    assert.deepStrictEqual(screen.state(), { alternate: false, cursor: true })
    screen.press("Enter")
    await screen.until(/▸ box[\s\S]*^the command in box ended with status 3$/m)
    screen.press("q")
    await screen.until(/^status 0$/m)
  }, 120_000)

  it("says that the daemon is away, and shows the VMs again once it is back", async () => {
    await shown(100, 24)
    await daemon?.stop()
    await screen.until(/^(cannot reach|the daemon|bangerd)/m)
    fs.rmSync(socket, { force: true })
    daemon = await start()
    await Effect.runPromise(SubscriptionRef.update(vms, (all) => all.slice(0, 1)))
    await screen.until(/1 VM, 1 running/)
  }, 120_000)

  it("leaves the terminal as it was, also when it is killed, and shows no colour where none is wanted", async () => {
    for (const [signal, status] of [["TERM", 143], ["HUP", 129], ["INT", 130]] as const) {
      await shown(100, 24, { NO_COLOR: "1" })
      assert.deepStrictEqual(screen.state(), { alternate: true, cursor: false })
      execFileSync("pkill", [`-${signal}`, "-f", `${base}/.*/lib/tui.mjs`])
      await screen.until(new RegExp(`^status ${status}$`, "m"))
      assert.deepStrictEqual(screen.state(), { alternate: false, cursor: true })
      screen.press("stty -a", "Enter")
      await screen.until(/ icanon[\s\S]* echo /)
      await end()
    }
  }, 120_000)
})
