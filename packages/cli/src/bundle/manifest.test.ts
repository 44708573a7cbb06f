import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { pathToFileURL } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { UserConfig } from "@banger/domain/config.ts"
import { within } from "../testing/environment.ts"
import { bundleAt } from "./manifest.ts"

const base = mkdtempSync(`${tmpdir()}/banger-manifest-`)
const sha256 = "5".repeat(64)
const manifest = JSON.stringify({ url: "all.bundle", sha256, bytes: 7 })
const asked: Array<string | undefined> = []
const proxy = Http.createServer(({ url }, answer) => {
  asked.push(url)
  if (url?.endsWith("long.json") === true) {
    answer.on("error", () => {})
    const more = () => void answer.write(Buffer.alloc(64 << 10, " "), (error) => error || more())
    return more()
  }
  answer.end(manifest)
})
let address = ""

beforeAll(async () => {
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))
  address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
})
afterAll(() => {
  proxy.closeAllConnections()
  proxy.close()
  rmSync(base, { recursive: true, force: true })
})

const NO_PROXY = Object.fromEntries(["http", "https", "all", "no"].flatMap((name) => [`${name}_proxy`, `${name}_PROXY`.toUpperCase()].map((name) => [name, ""])))
const at = (source: string, variables: Record<string, string> = {}, config: UserConfig = {}) =>
  within({ ...NO_PROXY, ...variables }, Effect.map(bundleAt(source, config), (words) => ({ words, passedOn: process.env["HTTP_PROXY"] })))
const refused = (source: string, variables?: Record<string, string>) => Effect.map(Effect.flip(at(source, variables)), ({ message }) => message)

describe("a bundle's manifest", () => {
  it.live("is fetched through the proxy of the environment or of the configuration, which the bundle's fetching has, too", () => Effect.gen(function*() {
    const words = ["--sha256", sha256, "--bytes", "7", "--cache", "/var/cache/banger/layers", "http://files.example/all.bundle"]
    assert.deepStrictEqual(yield* at("http://files.example/banger.json", { all_proxy: address }), { words, passedOn: address })
    assert.deepStrictEqual(yield* at("http://files.example/banger.json", {}, { proxy: { http: address } }), { words, passedOn: address })
    assert.deepStrictEqual(asked.splice(0), ["http://files.example/banger.json", "http://files.example/banger.json"])
  }))

  it.live("that has no end is refused", () => Effect.gen(function*() {
    assert.match(yield* refused("http://files.example/long.json", { http_proxy: address }), /it is longer than 65536 bytes/)
  }))

  it.live("may be a file, and nothing else on the disk", () => Effect.gen(function*() {
    writeFileSync(`${base}/own.json`, manifest)
    execFileSync("mkfifo", [`${base}/fifo.json`])
    assert.strictEqual((yield* at(`${base}/own.json`)).words.at(-1), pathToFileURL(`${base}/all.bundle`).href)
    assert.match(yield* refused(`${base}/fifo.json`), /is no file/)
  }))
})
