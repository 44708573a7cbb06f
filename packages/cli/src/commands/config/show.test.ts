import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { withTables } from "../../command-line/config-doc.ts"
import { shipped, start } from "../../testing/command-line.ts"

const home = mkdtempSync(`${tmpdir()}/banger-config-`)
const file = `${home}/.config/banger/config.toml`
let banger: ReadonlyArray<string>

beforeAll(async () => {
  banger = await shipped()
  mkdirSync(`${home}/.config/banger`, { recursive: true })
}, 120_000)
afterAll(() => rmSync(home, { recursive: true, force: true }))

const NO_PROXY = { HTTP_PROXY: "", http_proxy: "", HTTPS_PROXY: "", https_proxy: "", ALL_PROXY: "", all_proxy: "", NO_PROXY: "", no_proxy: "" }
const show = (env: NodeJS.ProcessEnv, ...flags: ReadonlyArray<string>) => start([...banger, "config", "show", ...flags], { HOME: home, ...NO_PROXY, ...env }).ended

describe("config show", () => {
  it("tells each value and where it comes from; needs neither file nor daemon", async () => {
    rmSync(file, { force: true })
    const bare = JSON.parse((await show({}, "--json")).stdout)
    const of = (settings: ReadonlyArray<{ key: string }>, wanted: string) => settings.find(({ key }) => key === wanted)
    assert.deepStrictEqual(of(bare, "default_image_name"), { key: "default_image_name", value: '"debian-bookworm"', from: "default", source: null, wish: null } as never)
    assert.deepStrictEqual(of(bare, "namegen_path"), { key: "namegen_path", value: null, from: "default", source: null, wish: null } as never)
    assert.deepInclude(of(bare, "vm_defaults.vcpu"), { from: "host" } as never)
    assert.deepInclude(of(bare, "network.cidr"), { value: '"172.16.0.0/24"' } as never)
    writeFileSync(file, 'default_image_name = "dev"\n[vm_defaults]\nvcpu = 2\n[proxy]\nhttps = "http://proxy.example:3128"\n')
    const { status, stdout } = await show({ HTTPS_PROXY: "http://other.example:1" }, "--json")
    assert.strictEqual(status, 0)
    const settings = JSON.parse(stdout)
    assert.deepStrictEqual(of(settings, "vm_defaults.vcpu"), { key: "vm_defaults.vcpu", value: "2", from: "file", source: file, wish: null } as never)
    assert.deepStrictEqual(of(settings, "proxy.https"), { key: "proxy.https", value: '"http://other.example:1"', from: "environment", source: "HTTPS_PROXY", wish: null } as never)
    // Of an environment that names a proxy all keys count, and of one that names only exceptions none.
    assert.deepInclude(of(JSON.parse((await show({ http_proxy: "http://small.example:2", HTTP_PROXY: "http://large.example:2" }, "--json")).stdout), "proxy.http"), { value: '"http://small.example:2"', source: "http_proxy" } as never)
    assert.deepInclude(of(JSON.parse((await show({ http_proxy: "http://small.example:2" }, "--json")).stdout), "proxy.https"), { value: null, from: "environment" } as never)
    assert.deepInclude(of(JSON.parse((await show({ NO_PROXY: "a.example" }, "--json")).stdout), "proxy.https"), { value: '"http://proxy.example:3128"', from: "file" } as never)
    assert.match((await show({})).stdout, /^KEY +VALUE +FROM\ndefault_image_name +"dev" +.*config\.toml\n/)
  })

  it("shows of the host's keys what root's file has, and what the owner only wishes", async () => {
    writeFileSync(file, 'storage.reserve = "3072M"\n[network]\nlan = true\nvm_to_vm = false\n')
    const [json, text] = await Promise.all([show({}, "--json"), show({})])
    const of = (wanted: string) => JSON.parse(json.stdout).filter(({ key }: { key: string }) => key === wanted)
    assert.deepStrictEqual(of("network.lan"), [{ key: "network.lan", value: "false", from: "default", source: null, wish: "true" }])
    assert.deepStrictEqual(of("storage.reserve"), [{ key: "storage.reserve", value: '"2G"', from: "default", source: null, wish: '"3G"' }])
    assert.deepStrictEqual(of("network.vm_to_vm"), [{ key: "network.vm_to_vm", value: "false", from: "default", source: null, wish: null }])
    assert.deepInclude(of("firecracker_bin")[0], { from: "host", value: '"/usr/local/bin/firecracker"' })
    assert.match(text.stdout, /^KEY +VALUE +FROM +WISH\n[^]*^network\.lan +false +default +true\n/m)
    assert.match(text.stderr, /^a wish counts once it is applied: sudo (?:\/\S+\/)?banger system apply\n$/)
    writeFileSync(file, "[network]\nlan = false\n")
    const same = await show({})
    assert.match(same.stdout, /^KEY +VALUE +FROM\n/)
    assert.strictEqual(same.stderr, "")
  })

  it("says all that is wrong with a file, with its lines", async () => {
    writeFileSync(file, "tap_pool_size = 99\n[vm_defualts]\nvcpu = 2\n")
    const { status, stderr } = await show({})
    assert.strictEqual(status, 1)
    assert.strictEqual(stderr, `banger: ${file}: line 1: tap_pool_size: expected a number of TAPs from 0 to 64; line 2: vm_defualts: there is no such key; did you mean vm_defaults?\n  correct the keys, or remove them: all are optional (docs/config.md)\n`)
  })

  it("has the keys of docs/config.md (make docs)", () => {
    const page = readFileSync(new URL("../../../../../docs/config.md", import.meta.url), "utf8")
    assert.strictEqual(withTables(page), page)
    assert.include(page, "| `network.cidr` |")
  })
})
