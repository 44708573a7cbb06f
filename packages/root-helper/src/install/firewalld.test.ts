import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { withCommands } from "../testing/commands.ts"
import { ZONE_FILE, ZONE_TEXT } from "./firewalld.ts"

let root = ""
beforeEach(() => {
  root = fs.mkdtempSync(`${tmpdir()}/banger-firewalld-`)
})
afterEach(() => fs.rmSync(root, { recursive: true }))

const written = () => fs.existsSync(root + ZONE_FILE) ? fs.readFileSync(root + ZONE_FILE, "utf8") : undefined

interface Host {
  readonly installed: boolean
  readonly runs?: boolean
  readonly zones?: string
  readonly of?: string
}

/** What is asked of firewall-cmd on such a host, but for what only looks. */
const on = async ({ installed, of, runs = true, zones = "public trusted" }: Host, act: "joinZone" | "leaveZone") => {
  const asked: Array<string> = []
  const loaded = await withCommands(({ CommandFailed }) => (argv) => {
    const [, ...args] = argv
    const line = args.join(" ")
    const no = new CommandFailed({ argv: [...argv], exitCode: 252, stderr: "FirewallD is not running" })
    if (line === "--state") return runs ? Effect.succeed("running\n") : no
    if (line === "--get-zones") return Effect.succeed(`${zones}\n`)
    if (line.startsWith("--get-zone-of-interface")) return of === undefined ? no : Effect.succeed(`${of}\n`)
    asked.push(line)
    return Effect.succeed("success\n")
  }, (tool) => installed ? `/usr/bin/${tool}` : null, () => import("./firewalld.ts"))
  await Effect.runPromise(act === "joinZone" ? loaded.joinZone(root) : loaded.leaveZone)
  return asked
}

describe("firewalld's zone for the bridge", () => {
  it("accepts, since banger's own rules have refused by then, and has the bridge alone", () => {
    assert.match(ZONE_TEXT, /<zone target="ACCEPT">/)
    assert.deepStrictEqual(ZONE_TEXT.match(/<interface name="[^"]*"\/>/g), [`<interface name="br-banger"/>`])
    // What older versions do not know makes them refuse the file.
    assert.deepStrictEqual([...new Set(ZONE_TEXT.match(/<[a-z]+/g))], ["<zone", "<short", "<description", "<interface"])
  })

  it("is nobody's business where firewalld is not", async () => {
    assert.deepStrictEqual(await on({ installed: false }, "joinZone"), [])
    assert.deepStrictEqual(await on({ installed: false }, "leaveZone"), [])
    assert.deepStrictEqual(fs.readdirSync(root), [])
  })

  it("is a file for one that does not run yet", async () => {
    assert.deepStrictEqual(await on({ installed: true, runs: false }, "joinZone"), [])
    assert.strictEqual(written(), ZONE_TEXT)
    assert.deepStrictEqual(await on({ installed: true, runs: false }, "leaveZone"), [])
  })

  it("counts at once where it runs, without a reload", async () => {
    assert.deepStrictEqual(await on({ installed: true }, "joinZone"), ["--zone=trusted --change-interface=br-banger"])
    assert.deepStrictEqual(await on({ installed: true, zones: "banger public trusted" }, "joinZone"), ["--zone=banger --change-interface=br-banger"])
    assert.strictEqual(written(), ZONE_TEXT)
  })

  it("is left to whoever has put the bridge into another one", async () => {
    fs.mkdirSync(`${root}/etc/firewalld/zones`, { recursive: true })
    fs.writeFileSync(`${root}/etc/firewalld/zones/work.xml`, `<zone><interface name="br-banger"/></zone>`)
    assert.deepStrictEqual(await on({ installed: true }, "joinZone"), [])
    assert.isUndefined(written())
  })

  it("is left again by the name that the bridge is in", async () => {
    assert.deepStrictEqual(await on({ installed: true, of: "trusted" }, "leaveZone"), ["--zone=trusted --remove-interface=br-banger"])
    assert.deepStrictEqual(await on({ installed: true }, "leaveZone"), [])
  })
})
