import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { withValues } from "./config-edit.ts"
import { decodeConfig } from "./config.ts"
import { decodeHostConfig, differences, type HostConfig, HOST_KEYS, hostValues, inWords, wishOf, withWish } from "./host-config.ts"
import { Cidr } from "./network.ts"

const decoded = (text: string) => Effect.runSync(decodeHostConfig(text))

const reserve = fc.integer({ min: 1024, max: 1024 ** 2 })
const config: fc.Arbitrary<HostConfig> = fc.record({
  firecracker_bin: fc.constantFrom("/opt/a/firecracker", "/opt/b/firecracker"),
  network: fc.record({ cidr: fc.constantFrom("10.9.0.0/24", "172.16.0.0/24").map((text) => Cidr.make(text)), vm_to_vm: fc.boolean(), lan: fc.boolean(), host_users: fc.boolean() }, { requiredKeys: [] }),
  storage: fc.record({ reserve }, { requiredKeys: [] })
}, { requiredKeys: [] })

/** A file of an administrator's with these values: tables or dotted names, comments between and behind. */
const written = (host: HostConfig, dotted: boolean): string => {
  const { firecracker_bin, network = {}, storage = {} } = Schema.encodeSync(Schema.Struct(HOST_KEYS))(host)
  const table = (name: string, values: object) =>
    Object.entries(values).map(([key, value]) => `${dotted ? `${name}.` : "  "}${key} = ${JSON.stringify(value)} # why ${name} ${key}\n`).join("")
  const tables = [["network", network], ["storage", storage]] as const
  return [
    "# ours\n",
    firecracker_bin === undefined ? "" : `firecracker_bin = '${firecracker_bin}'\t# which\n`,
    ...tables.map(([name, values]) => (dotted ? "" : `# above\n[ ${name} ] # begins\n`) + table(name, values))
  ].join("")
}

describe("the host's keys", () => {
  it("of a wish are merged with root's: what it does not name stays, comments stay, and afterwards nothing differs", () =>
    fc.assert(fc.property(config, config, fc.boolean(), (host, wish, dotted) => {
      const text = written(host, dotted)
      const after = withValues(text, differences(host, wish)) ?? assert.fail(`cannot be changed:\n${text}`)
      assert.deepStrictEqual(hostValues(decoded(after)), hostValues(withWish(host, wish)))
      assert.deepStrictEqual(differences(decoded(after), wish), [])
      for (const [comment] of text.matchAll(/#.*$/gm)) assert.include(after, comment)
      if (differences(host, wish).length === 0) assert.strictEqual(after, text)
    })))

  it("are values that count: what neither file names has its default", () =>
    fc.assert(fc.property(config, config, (host, wish) => {
      const values = hostValues(withWish(host, wish))
      assert.strictEqual(values.lan, wish.network?.lan ?? host.network?.lan ?? false)
      assert.strictEqual(values.cidr, wish.network?.cidr ?? host.network?.cidr ?? "172.16.0.0/24")
      assert.strictEqual(values.reserveBytes, (wish.storage?.reserve ?? host.storage?.reserve ?? 2048) * 2 ** 20)
      assert.strictEqual(values.firecracker, wish.firecracker_bin ?? host.firecracker_bin)
    })))

  it("that are wished differ only where another value would count", () => {
    const host = decoded('[storage]\nreserve = "2048M"\n[network]\nlan = true\n')
    const wish = (text: string) => differences(host, wishOf(Effect.runSync(decodeConfig("c.toml", text)))).map(inWords)
    assert.deepStrictEqual(wish('tap_pool_size = 2\n[network]\nvm_to_vm = false\ncidr = "172.16.0.0/24"\nlan = true\n[storage]\nreserve = "2G"'), [])
    assert.deepStrictEqual(wish('firecracker_bin = "/opt/fc/firecracker"\nstorage.reserve = "3072M"\nnetwork.lan = false'), [
      'firecracker_bin: none -> "/opt/fc/firecracker"', "network.lan: true -> false", 'storage.reserve: "2G" -> "3G"'
    ])
  })

  it.effect("are refused with their lines, in either file, and say where the others belong", () => Effect.gen(function*() {
    const wrong = 'firecracker_bin = "firecracker"\n[network]\ncird = "10.0.0.0/8"\n[storage]\nreserve = "1M"\n'
    const all = 'line 1: firecracker_bin: expected the absolute path of a program, of letters, digits and ._+@-; line 3: network.cird: there is no such key; did you mean cidr?; line 5: storage.reserve: expected a size from 1G to 1T'
    const [own, roots] = yield* Effect.all([Effect.flip(decodeConfig("c.toml", wrong)), Effect.flip(decodeHostConfig(wrong))])
    assert.strictEqual(own.message, `c.toml: ${all}`)
    assert.strictEqual(own.hint, "correct the keys, or remove them: all are optional (docs/config.md)")
    assert.strictEqual(roots.message, `/etc/banger/host.toml: ${all}`)
    assert.match((yield* Effect.flip(decodeHostConfig("tap_pool_size = 4"))).hint, /what is not the host's belongs into ~\/\.config\/banger\/config\.toml/)
  }))

  it("name no program that a unit would read as something else", () => {
    const isProgram = Schema.is(HOST_KEYS.firecracker_bin.from)
    for (const path of ["/opt/fc-1.12/firecracker", "/usr/local/bin/firecracker"]) assert.isTrue(isProgram(path), path)
    for (const path of ["firecracker", "~/firecracker", "/a b/firecracker", "/a\nUser=root", "/%h/firecracker", "/a/../firecracker", "/a//firecracker", "/a/$x", "/a/", `/${"a".repeat(200)}`]) assert.isFalse(isProgram(path), path)
  })

  it("have a reserve that reads as it was written, whatever its unit", () =>
    fc.assert(fc.property(Arbitrary.make(Schema.Int.pipe(Schema.between(1024, 1024 ** 2))), (mib) => {
      const [{ to } = assert.fail()] = differences({ storage: { reserve: mib === 1024 ? 1025 : 1024 } }, { storage: { reserve: mib } })
      assert.strictEqual(decoded(`storage.reserve = "${to}"`).storage?.reserve, mib)
    })))
})

describe("a file's values", () => {
  const change = (text: string) => withValues(text, [{ key: "network.lan", to: true }, { key: "firecracker_bin", to: "/f" }])

  it("are changed where they stand, else added where they belong", () => {
    assert.strictEqual(change(""), 'firecracker_bin = "/f"\n\n[network]\nlan = true\n')
    assert.strictEqual(change("# [network]\n# lan = false"), '# [network]\n# lan = false\n\nfirecracker_bin = "/f"\n\n[network]\nlan = true\n')
    assert.strictEqual(change("[network]\nlan = false\r\n"), 'firecracker_bin = "/f"\n\n[network]\nlan = true\r\n')
    assert.strictEqual(change("network.cidr = '10.0.0.0/24'\n[storage]\n"), `network.cidr = '10.0.0.0/24'\nnetwork.lan = true\nfirecracker_bin = "/f"\n\n[storage]\n`)
    assert.strictEqual(change('firecracker_bin = "/\\"#" # a\n[storage]\nreserve = "2G"'), 'firecracker_bin = "/f" # a\n[storage]\nreserve = "2G"\n\n[network]\nlan = true\n')
  })

  it("that are written in a rare form are left alone", () => {
    for (const text of ['network = { cidr = "10.0.0.0/24" }', 'network = { lan = false }', 'firecracker_bin = """\n/g"""', "[[network]]\n"]) assert.isUndefined(change(text), text)
  })
})
