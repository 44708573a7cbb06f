import { execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeConfig } from "@banger/domain/config.ts"
import { unpack } from "../testing/repositories.ts"
import { modeFor, planEntries, prepare } from "./file-sync.ts"

const base = realpathSync(mkdtempSync(`${tmpdir()}/banger-sync-`))
const home = `${base}/home`
const write = (path: string, mode = 0o644) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, path.slice(base.length))
  chmodSync(path, mode)
}

beforeAll(() => {
  write(`${home}/.config/gh/hosts.yml`)
  write(`${home}/bin/tool`, 0o755)
  write(`${home}/bin/sub/other`, 0o640)
  symlinkSync("tool", `${home}/bin/link`)
  symlinkSync(`${base}/outside`, `${home}/bin/out`)
  write(`${base}/outside/secret`)
  symlinkSync(`${base}/outside`, `${home}/leads-out`)
  symlinkSync(".config/gh", `${home}/leads-in`)
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

const entry = (host: string, guest: string, more = "") => `[[file_sync]]\nhost = "${host}"\nguest = "${guest}"\n${more}\n`
const planned = (...entries: ReadonlyArray<string>) =>
  Effect.flatMap(decodeConfig("config.toml", entries.join("")), ({ file_sync = [] }) => planEntries(home, file_sync))

/** What a guest gets, as `type mode content path`, of a /root that is a directory here. */
const got = (...entries: ReadonlyArray<string>) =>
  Effect.scoped(Effect.gen(function*() {
    const root = mkdtempSync(`${base}/root-`)
    for (const each of (yield* planned(...entries)).planned) {
      const { read, to } = yield* prepare(each)
      yield* unpack(to.replace("/root", root), read)
    }
    return execFileSync("sh", ["-c", "find . -mindepth 1 -printf '%y %m %p\n' | sort -k3; find . -type f | sort | xargs cat"], { cwd: root }).toString()
  }))

describe("file_sync", () => {
  it.live("gives a file its place, its name and mode 0600, a directory 0700, and links nothing", () => Effect.gen(function*() {
    assert.match(yield* got(entry("~/.config/gh/hosts.yml", "~/.config/gh/hosts.yml")), /^d \d+ .\/.config\nd \d+ .\/.config\/gh\nf 600 .\/.config\/gh\/hosts.yml\n\/home\/.config\/gh\/hosts.yml$/)
    assert.match(yield* got(entry("~/bin/tool", "/root/a&b,c")), /^f 600 .\/a&b,c\n/)
    assert.match(yield* got(entry(`${home}/bin`, "~/tools/", 'mode = "0755"')), /^d 755 .\/tools\nd 755 .\/tools\/sub\nf 755 .\/tools\/sub\/other\nf 755 .\/tools\/tool\n/)
    assert.match(yield* got(entry("~/bin", "~/tools")), /^d 700 .\/tools\nd 700 .\/tools\/sub\nf 600 .\/tools\/sub\/other\nf 600 .\/tools\/tool\n/)
  }))

  it.live("follows a link at its top, to something in the home alone; what is not there is passed over", () => Effect.gen(function*() {
    assert.include(yield* got(entry("~/leads-in", "~/gh")), "f 600 ./gh/hosts.yml\n")
    const { message } = yield* Effect.flip(planned(entry("~/leads-out", "~/x")))
    assert.match(message, /config.toml: file_sync: ~\/leads-out leads to .*\/outside, which is not in your home$/)
    assert.match((yield* Effect.flip(planned(entry("/etc/passwd", "~/x")))).message, /which is not in your home$/)
    assert.deepStrictEqual(yield* planned(entry("~/nowhere", "~/x")), { planned: [], notes: ["file_sync: there is no ~/nowhere, so VMs do not get it"] })
  }))

  it.live("goes to /root, and is nothing but paths and modes", () => Effect.gen(function*() {
    for (const wrong of [entry("~/bin", "/etc/x"), entry("~/bin", "~/../etc"), entry("~/bin", "~/"), entry("bin", "~/x"), entry("~/bin/../..", "~/x"), entry("~/bin", "~/x", 'mode = "rwx"'), entry("~/bin", "~/x", "owner = 0"), '[[file_sync]]\nhost = "~/bin"\n']) {
      assert.match((yield* Effect.flip(planned(wrong))).message, /line \d: file_sync.0/, wrong)
    }
  }))

  it("writes modes as tar reads them", () => assert.deepStrictEqual(["600", "0644", "750"].map(modeFor), [
    "a-x,u=rXw,g=,o=", "a-x,u=rXw,g=rX,o=rX", "a-x,u=rXwx,g=rXx,o="
  ]))
})
