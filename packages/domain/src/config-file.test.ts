import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeToml, keysOf, valuesOf } from "./config-file.ts"
import { OwnConfig, sshKeyOf, UserConfig } from "./config.ts"
import { HostConfig } from "./host-config.ts"

const wrong = (text: string) => Effect.map(Effect.flip(decodeToml(UserConfig, text)), (problem) => problem.split("; line ").map((each, at) => at === 0 ? each : `line ${each}`))

describe("a configuration", () => {
  it.effect("tells all of its mistakes, each with its line, and the key that was meant", () => Effect.gen(function*() {
    assert.deepStrictEqual(yield* wrong('tap_pool_sise = 4\n\n[vm_defaults]\nvcpu = 3\nmemory_mib = "4G"\n[nonsense]\nx = 1\n'), [
      "line 1: tap_pool_sise: there is no such key; did you mean tap_pool_size?",
      "line 4: vm_defaults.vcpu: expected 1 or an even number of vCPUs up to 32",
      "line 5: vm_defaults.memory_mib: Expected number, actual \"4G\"",
      "line 6: nonsense: there is no such key"
    ])
  }))

  it.effect("finds the line however a key is written: dotted, quoted, in a table within a line, in an array", () => Effect.gen(function*() {
    assert.match((yield* wrong('\nvm_defaults.vcpu = 3')).join(), /^line 2: vm_defaults.vcpu: expected 1/)
    assert.match((yield* wrong('\n\n"vm_defaults" . vcpus = 3')).join(), /^line 3: vm_defaults.vcpus: there is no such key; did you mean vcpu\?$/)
    assert.match((yield* wrong('# a\nvm_defaults = { nat = true, vcpu = 3 }')).join(), /^line 2: vm_defaults.vcpu: expected 1/)
    assert.match((yield* wrong('[catalog]\nurls = [\n  "a",\n  3\n]')).join(), /^line 2: catalog.urls.1: Expected string/)
    assert.match((yield* wrong('[[file_sync]]\nhost = "~/a"\nguest = "~/a"\n[[file_sync]]\nhost = "~/b"\ngest = "~/b"')).join(), /line 6: file_sync.1.gest: there is no such key; did you mean guest\?/)
    assert.match((yield* wrong('namegen_path = """\n[vm_defaults]\nvcpu = 3\n"""\n[vm_defaults]\nvcpu = 3')).join(), /^line 6: vm_defaults.vcpu/)
    assert.match((yield* wrong('[catalog]\r\nurls = "x"\r\n')).join(), /^line 2: catalog.urls: Expected ReadonlyArray<string>, actual "x"$/)
    assert.match((yield* wrong('[catalog.parameters.x]\nlower = "a"')).join(), /^line 2: catalog.parameters.x.lower: expected a name such as DEBIAN_MIRROR/)
  }))

  it.effect("that is no TOML says so in one line", () => Effect.gen(function*() {
    const [problem, ...more] = yield* wrong("tap_pool_size = 4\nvcpu 3\n")
    assert.match(problem ?? "", /^line 2: [a-z ]+$/)
    assert.deepStrictEqual(more, [])
    assert.match((yield* wrong("a = 1\na = 2")).join(), /^line 2: /)
  }))

  it.effect("says in one line what a word among several, or a key's path, may be", () => Effect.gen(function*() {
    assert.deepStrictEqual(yield* wrong('log_level = "loud"\nssh_key_path = "banger"\n[vm_run]\nhistory = "some"'), [
      "line 1: log_level: expected debug, info, warn or error",
      "line 2: ssh_key_path: expected the path of a private key, absolute or in your home: ~/.ssh/banger",
      "line 4: vm_run.history: expected auto, shallow or full"
    ])
    for (const path of ["~/.ssh/banger.pub", "~ada/key", "/k/", '/a"b', "/a\nb", "/${HOME}/k"]) assert.lengthOf(yield* wrong(`ssh_key_path = ${JSON.stringify(path)}`), 1)
  }))

  it("names the owner's key by the owner's home, and the install's own where it names none", () => {
    assert.strictEqual(sshKeyOf({}, "/home/ada"), "/home/ada/.local/state/banger/ssh/id_ed25519")
    assert.strictEqual(sshKeyOf({ ssh_key_path: "~/.ssh/a b" }, "/home/ada"), "/home/ada/.ssh/a b")
    assert.strictEqual(sshKeyOf({ ssh_key_path: "/keys/~/x" }, "/home/ada"), "/keys/~/x")
  })

  it("has a meaning for every key, and its value where it is set", () => {
    for (const { about, name } of [...keysOf(UserConfig), ...keysOf(HostConfig)]) assert.isNotEmpty(about, name)
    assert.sameMembers(keysOf(UserConfig).map(({ name }) => name), [...keysOf(OwnConfig), ...keysOf(HostConfig)].map(({ name }) => name))
    assert.includeMembers(keysOf(HostConfig).map(({ name }) => name), ["network.cidr", "network.lan"])
    assert.strictEqual(valuesOf("[vm_defaults]\nvcpu = 2")("vm_defaults.vcpu"), 2)
    assert.isUndefined(valuesOf("[vm_defaults]\nvcpu = 2")("proxy.http"))
  })
})
