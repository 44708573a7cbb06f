import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { BadConfig } from "@banger/domain/config-file.ts"
import { VmId } from "@banger/domain/ids.ts"
import { elsewhere } from "../testing/elsewhere.ts"
import { afterAll } from "vitest"
import { pair } from "./check.ts"
import { GuestKeys } from "./contract.ts"

const { directory, layer, paths: { vmFiles } } = await elsewhere(() => import("./keys.ts"))
afterAll(() => fs.rmSync(directory, { recursive: true }))

const vm = VmId.make("0123456789abcdef")
const PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH ada@analytical\n"
const key = `${directory}/home/key`
const read = Effect.flatMap(GuestKeys, (keys) => keys.read(vm)).pipe(Effect.provide(layer(Effect.succeed(key))))

describe("the owner's key", () => {
  fs.mkdirSync(vmFiles(vm), { recursive: true })
  fs.mkdirSync(`${directory}/home`)
  for (const name of ["ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"]) fs.writeFileSync(`${vmFiles(vm)}/${name}`, name)

  it.effect("is given to a guest as its .pub says, and a .pub that is not there, or no key, is named with what mends it", () => Effect.gen(function*() {
    fs.writeFileSync(key, "private")
    const missing = yield* Effect.flip(read)
    assert.strictEqual(missing.message, `ssh keys: ${key}.pub is missing, which guests are given`)
    assert.strictEqual(missing.hint, `ssh-keygen -y -f ${key} >${key}.pub`)
    fs.rmSync(key)
    assert.match((yield* Effect.flip(read)).message, /home\/key is missing, which ssh_key_path names/)
    fs.writeFileSync(`${key}.pub`, "-----BEGIN OPENSSH PRIVATE KEY-----\n")
    assert.match((yield* Effect.flip(read)).message, /key\.pub is no public key$/)
    fs.writeFileSync(`${key}.pub`, PUBLIC)
    assert.strictEqual((yield* read).authorized, PUBLIC)
  }))

  it.effect("that a configuration cannot name is no key, and the configuration's fault", () => Effect.gen(function*() {
    const wrong = new BadConfig({ path: "config.toml", problem: "line 1: ssh_key_path: no" })
    const keys = yield* Effect.provide(GuestKeys, layer(Effect.fail(wrong)))
    for (const failed of [yield* Effect.flip(keys.owners), yield* Effect.flip(keys.read(vm))]) {
      assert.strictEqual(failed.message, "ssh keys: config.toml: line 1: ssh_key_path: no")
      assert.strictEqual(failed.hint, wrong.hint)
    }
  }))

  it("of the install's own is made anew by a command; another private key is never made or thrown away unasked", () => {
    const none = { own: false, pub: true }
    assert.match(JSON.stringify(pair("/k", true, none)), /rm -f \/k\.pub && .*"runs":true/)
    assert.match(JSON.stringify(pair("/k", false, none)), /ssh-keygen -t ed25519 -f \/k makes one.*"runs":false/)
    assert.strictEqual(pair("/k", false, { own: true, pub: true })._tag, "Ready")
  })
})
