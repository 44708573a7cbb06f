import { execFileSync } from "node:child_process"
import { existsSync, symlinkSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { pipeline } from "../pipeline.ts"
import { testSpec } from "../testing/spec.ts"
import { temporary } from "../testing/temporary.ts"
import { compose } from "./document.ts"
import { ownerFiles, setEnv } from "./guest.ts"
import { settings, timezone } from "./owner.ts"

const SSHD = "/usr/sbin/sshd"

describe("guest document", () => {
  it.effect("is what every capability says, together", () => Effect.gen(function*() {
    const document = yield* compose(testSpec(), pipeline.guest(testSpec()))
    assert.strictEqual(document.hostname, "brave-otter")
    assert.strictEqual(document.network?.address, "172.16.0.5/24")
    assert.deepStrictEqual(document.mounts.map(({ at, device }) => [device, at]), [["/dev/vdb", "/root"], ["/dev/vdc", "/lib/modules/6.1.0-40-cloud-amd64"]])
    assert.include(document.mask, "systemd-resolved.service")
  }))

  it.effect("carries the image's variables, for every process and for ssh", () => Effect.gen(function*() {
    const spec = testSpec({ run: { env: ["PATH=/opt/tool/bin:/bin", "TOOL=a b", "no variable"], entrypoint: [], cmd: [], workdir: "", user: "" } })
    const document = yield* compose(spec, pipeline.guest(spec))
    assert.deepStrictEqual(document.environment, { PATH: "/opt/tool/bin:/bin", TOOL: "a b" })
    assert.include(document.files.find(({ path }) => path.endsWith("00-banger.conf"))?.content, 'SetEnv "PATH=/opt/tool/bin:/bin" "TOOL=a b"\n')
  }))

  it("gives sshd no variable that could end its line or its quotes", () => {
    assert.strictEqual(setEnv({ OK: "a#b 'c'", LINE: "a\nPermitRootLogin yes", QUOTE: 'a" "X=1', BACK: "a\\" }), "SetEnv \"OK=a#b 'c'\"\n")
    assert.strictEqual(setEnv({}), "")
  })

  it.scoped.skipIf(!existsSync(SSHD))("is what an sshd reads (skipped where none is installed)", () => Effect.gen(function*() {
    const directory = yield* temporary
    const spec = testSpec({ run: { env: ["PATH=/opt/tool/bin:/bin", "TOOL=a b", "HASH=a#b 'c'"], entrypoint: [], cmd: [], workdir: "", user: "" } })
    const { files } = yield* compose(spec, pipeline.guest(spec))
    writeFileSync(`${directory}/config`, files.find(({ path }) => path.endsWith("00-banger.conf"))?.content ?? "")
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${directory}/key`])
    const read = execFileSync(SSHD, ["-T", "-f", `${directory}/config`, "-h", `${directory}/key`], { encoding: "utf8" })
    assert.deepStrictEqual(read.split("\n").filter((line) => line.startsWith("setenv")), ["setenv PATH=/opt/tool/bin:/bin", "setenv TOOL=a b", "setenv HASH=a#b 'c'"])
  }))

  it.scoped("names the owner to a git that nobody has set up, whatever the name is made of", () => Effect.gen(function*() {
    const directory = yield* temporary
    const odd = 'A "B" \\\\ C #d;\te\nf'
    writeFileSync(`${directory}/own`, "")
    for (const [key, value] of [["user.name", odd], ["user.email", "a@b"], ["core.editor", "vi"]] as const) execFileSync("git", ["config", "--file", `${directory}/own`, key, value])
    const git = settings(execFileSync("git", ["config", "--file", `${directory}/own`, "-z", "--get-regexp", "^user\\.(name|email)$"], { encoding: "utf8" }))
    const [file] = ownerFiles(git).files ?? []
    writeFileSync(`${directory}/guest`, file?.content ?? "")
    assert.strictEqual(execFileSync("git", ["config", "--file", `${directory}/guest`, "user.name"], { encoding: "utf8" }), `${odd}\n`)
    assert.strictEqual(execFileSync("git", ["config", "--file", `${directory}/guest`, "--list"], { encoding: "utf8" }).includes("user.email=a@b"), true)
    assert.include([...(file?.unless ?? [])], "/etc/gitconfig")
    assert.deepStrictEqual(ownerFiles(new Map()), {})
  }))

  it.scoped("has the host's time zone by its link, and none where the guest could not take the name", () => Effect.gen(function*() {
    const directory = yield* temporary
    for (const [at, [target, zone]] of ([
      ["/usr/share/zoneinfo/Europe/Vienna", "Europe/Vienna"], ["../usr/share/zoneinfo/posix/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"], ["/usr/share/zoneinfo/Etc/GMT+5", "Etc/GMT+5"],
      ["/usr/share/zoneinfo/a/b/c/d", ""], ["/usr/share/zoneinfo/Mars Base", ""], ["/opt/zones/Own", ""]
    ] as const).entries()) {
      symlinkSync(target, `${directory}/${at}`)
      assert.strictEqual(timezone(`${directory}/${at}`), zone)
    }
  }))

  it.effect("two capabilities that write the same file are refused by name", () => Effect.gen(function*() {
    const motd = { files: [{ path: "/etc/motd", mode: "0644", content: "hello" }] }
    const error = yield* Effect.flip(compose(testSpec(), [["one", motd], ["two", motd]]))
    assert.strictEqual(error.message, "one and two both set the file /etc/motd")
  }))
})
