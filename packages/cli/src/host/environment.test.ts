import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { buildInto } from "../testing/build.ts"
import { start } from "../testing/command-line.ts"
import { giveBack } from "./environment.ts"

const build = fs.mkdtempSync(`${tmpdir()}/banger-launcher-`)
const banger = `${build}/bin/banger`

beforeAll(async () => {
  await buildInto(build)
  fs.writeFileSync(`${build}/intruder.cjs`, "console.log('from the project')")
  fs.writeFileSync(`${build}/openssl.cnf`, "nodejs_conf = broken\n[broken]\nproviders = none\nssl_conf = none\n")
}, 60_000)
afterAll(() => fs.rmSync(build, { recursive: true }))

describe("the user's environment", () => {
  it.concurrent.each([
    { NODE_OPTIONS: "--require /gone/bootloader.js", NODE_PATH: "/gone" },
    { NODE_OPTIONS: "--no-experimental-fetch", NODE_ICU_DATA: "/gone" },
    { NODE_OPTIONS: "--inspect=0", NODE_EXTRA_CA_CERTS: "/gone/ca.pem", NODE_CHANNEL_FD: "3", NODE_UNIQUE_ID: "1" },
    { NODE_OPTIONS: `--require ${build}/intruder.cjs`, NODE_DEBUG: "net,module", NODE_DEBUG_NATIVE: "ENV", UV_THREADPOOL_SIZE: "none" },
    { NODE_V8_COVERAGE: `${build}/coverage`, NODE_COMPILE_CACHE: `${build}/cache`, NODE_PENDING_DEPRECATION: "1", NODE_REDIRECT_WARNINGS: `${build}/warnings`, NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: "no proxy" },
    { OPENSSL_CONF: `${build}/openssl.cnf` }
  ])("that Node heeds is not for banger's: %o", async (environment) => {
    const { status, stderr, stdout } = await start([banger, "vm", "--help"], environment as NodeJS.ProcessEnv).ended
    assert.deepStrictEqual({ status, stderr }, { status: 0, stderr: "" })
    assert.match(stdout, /^Usage: banger vm/)
    assert.deepStrictEqual(fs.readdirSync(build).toSorted(), ["bin", "intruder.cjs", "lib", "openssl.cnf"])
  })

  it("is what the programs have that banger starts", () => {
    fs.mkdirSync(`${build}/fake/bin`, { recursive: true })
    fs.copyFileSync(banger, `${build}/fake/bin/banger`)
    fs.writeFileSync(`${build}/fake/bin/node`, "#!/bin/sh\nexec env -0\n", { mode: 0o755 })
    const user = { PATH: process.env["PATH"], NODE_OPTIONS: "--max-old-space-size=100 --title='a b'", NODE_PATH: "", UV_USE_IO_URING: "0\n1", OPENSSL_CONF: "$(touch x)`", NODE_ENV: "test", SSL_CERT_FILE: "/ca.pem" }
    const passed = Object.fromEntries(execFileSync(`${build}/fake/bin/banger`, { env: user, encoding: "utf8" }).split("\0").flatMap((line) => {
      const at = line.indexOf("=")
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)]]
    }))
    fs.rmSync(`${build}/fake`, { recursive: true })
    assert.notProperty(passed, "NODE_OPTIONS")
    giveBack(passed)
    for (const [name, value] of Object.entries(user)) assert.strictEqual(passed[name], value, name)
  })

  it("does not decide whether the host's certificate authorities are trusted: they are", () => {
    fs.mkdirSync(`${build}/asked/bin`, { recursive: true })
    fs.copyFileSync(banger, `${build}/asked/bin/banger`)
    fs.writeFileSync(`${build}/asked/bin/node`, "#!/bin/sh\nprintf '%s\\n' \"$NODE_USE_SYSTEM_CA\" \"$@\"\n", { mode: 0o755 })
    const words = execFileSync(`${build}/asked/bin/banger`, ["vm", "list"], { env: { PATH: process.env["PATH"], NODE_USE_SYSTEM_CA: "0" }, encoding: "utf8" }).trimEnd().split("\n")
    fs.rmSync(`${build}/asked`, { recursive: true })
    assert.strictEqual(words[0], "")
    assert.include(words.slice(0, words.indexOf("--")), "--use-system-ca")
    assert.deepStrictEqual(words.slice(words.indexOf("--")), ["--", "vm", "list"])
  })
})
