import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { VmName } from "@banger/domain/ids.ts"
import * as Effect from "effect/Effect"
import { daemonOn } from "../testing.ts"
import { knownHosts, sshAutostart, sshConfig, SshFiles, type SshHost } from "./ssh-files.ts"

const hosts: ReadonlyArray<SshHost> = ["one", "two-2"].map((name, at) => ({ name: VmName.make(name), address: `172.16.0.${at + 2}`, key: `ssh-ed25519 AAAA${at}` }))
const directory = fs.mkdtempSync(`${tmpdir()}/banger-ssh-files-`)
afterAll(() => fs.rmSync(directory, { recursive: true }))

/** The settings, by name, that ssh has for a host once it has read a configuration. */
const settings = (config: string, host: string, env: NodeJS.ProcessEnv = process.env): ReadonlyMap<string, string> => {
  const file = `${directory}/config`
  fs.writeFileSync(file, config)
  const lines = execFileSync("ssh", ["-G", "-F", file, host], { env, stdio: ["ignore", "pipe", "pipe"] }).toString().trim().split("\n")
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]))
}
const hasSsh = fs.existsSync("/usr/bin/ssh")

describe("what ssh reads", () => {
  it("has a line for each host key", () => {
    assert.strictEqual(knownHosts(hosts), "one.vm ssh-ed25519 AAAA0\ntwo-2.vm ssh-ed25519 AAAA1\n")
  })

  it.skipIf(!hasSsh)("leads to each VM with banger's key, past the user's own jumps, without the user's agent, and leaves other hosts alone", () => {
    const config = `${sshConfig(hosts, "/home/a b/100%/key", "/known")}Host *\n  ProxyJump bastion\n  User me\n  ForwardAgent yes\n  Compression yes\n`
    const vm = settings(config, "two-2.vm")
    assert.deepStrictEqual(
      ["hostname", "user", "hostkeyalias", "identityfile", "identitiesonly", "userknownhostsfile", "globalknownhostsfile", "stricthostkeychecking", "forwardagent", "compression"].map((name) => vm.get(name)),
      ["172.16.0.3", "root", "two-2.vm", "/home/a b/100%%/key", "yes", "/known", "/dev/null", "true", "no", "yes"]
    )
    assert.isUndefined(vm.get("proxyjump"))
    for (const host of ["other.vm", "one.vm.example", "one"]) assert.deepStrictEqual([settings(config, host).get("hostname"), settings(config, host).get("user")], [host, "me"])
  })

  it.skipIf(!hasSsh)("starts the VM that is meant and no other, and waits for its sshd", () => {
    const said = `${directory}/said`
    fs.writeFileSync(`${directory}/banger`, `#!/bin/sh\necho "$@" >> ${said}\n[ "$2" != wait ] || [ -e ${directory}/up ] || { touch ${directory}/up; exit 4; }\n`, { mode: 0o755 })
    const env = { ...process.env, PATH: `${directory}:${process.env["PATH"]}`, SHELL: "/bin/sh" }
    const config = `${sshAutostart(hosts)}${sshConfig(hosts, "/key", "/known")}`
    assert.strictEqual(settings(config, "other.vm", env).get("hostname"), "other.vm")
    assert.isFalse(fs.existsSync(said))
    assert.strictEqual(settings(config, "one.vm", env).get("hostname"), "172.16.0.2")
    const wait = "vm wait --for ssh --timeout 60s one\n"
    assert.strictEqual(fs.readFileSync(said, "utf8"), `${wait}vm start one\n${wait}`)
    settings(config, "one.vm", env)
    assert.strictEqual(fs.readFileSync(said, "utf8"), `${wait}vm start one\n${wait}${wait}`)
  })
})

describe("the files", () => {
  it.scopedLive("follow the key that the configuration names, as each VM that starts does", () => Effect.gen(function*() {
    const state = `${directory}/state`
    yield* Effect.gen(function*() {
      const files = yield* SshFiles
      const when = () => fs.statSync(`${state}/ssh/config`, { bigint: true }).ino
      yield* files.follow
      const first = when()
      yield* files.follow
      assert.strictEqual(when(), first)
      fs.writeFileSync(`${state}/config.toml`, 'ssh_key_path = "~/.ssh/banger"\n')
      yield* files.follow
      assert.notStrictEqual(when(), first)
      fs.writeFileSync(`${state}/config.toml`, 'ssh_key_path = "banger"\n')
      const failed = yield* Effect.flip(files.follow)
      assert.match(failed.message, /config\.toml: line 1: ssh_key_path: expected the path of a private key/)
    }).pipe(Effect.provide(daemonOn(state, new Set())))
  }))
})
