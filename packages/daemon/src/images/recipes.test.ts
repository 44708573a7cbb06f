import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { download } from "@banger/capabilities/download.ts"
import { ImageName, KernelName } from "@banger/domain/ids.ts"
import { CatalogFile } from "@banger/domain/recipe.ts"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Config } from "../config.ts"
import { interpreter } from "./guest-script.ts"
import { makeKernelPackages, makeOffers, makeRecipes, makeSession } from "./recipes.ts"

const nothing = { proxy: {}, logins: {} }

const directory = new URL("../../../../packaging/catalog/", import.meta.url)
const catalog = Schema.decodeUnknownSync(Schema.parseJson(CatalogFile))(readFileSync(new URL("catalog.json", directory), "utf8"))

describe("banger's own catalog", () => {
  it("has the default image and void, as recipes", () => {
    assert.deepStrictEqual(Object.entries(catalog.images).map(([name, { kind }]) => [name, kind]), [["debian-bookworm", "recipe"], ["void", "recipe"]])
  })

  it("has a kernel that every Firecracker boots, as a package", () => {
    assert.deepStrictEqual(Object.entries(catalog.kernels).map(([name, { packages }]) => [name, packages.map(({ url }) => new URL(url).protocol)]), [["debian-6.1", ["https:"]]])
  })

  it("keeps its kernels where files are never removed", () => {
    for (const { packages } of Object.values(catalog.kernels)) {
      for (const { url } of packages) assert.match(url, /^https:\/\/snapshot\.debian\.org\/file\/[0-9a-f]{40}$/)
    }
  })

  it("pins what is not a distribution's", () => {
    for (const entry of Object.values(catalog.images)) {
      const { parameters } = entry as Extract<typeof entry, { readonly kind: "recipe" }>
      for (const name of ["MISE", "OPENCODE"]) {
        assert.notMatch(parameters[`${name}_URL`] ?? "", /latest/)
        assert.match(parameters[`${name}_SHA256`] ?? "", /^[0-9a-f]{64}$/)
      }
      assert.match(parameters["TMUX_PLUGINS"] ?? "", /^([a-z-]+@[0-9a-f]{40} ?)*$/)
    }
  })

  /** The functions of a script, with programs of the test's in place of those that reach the world or write to /usr. */
  const functions = (name: string, then: string, curl: string) => {
    const bin = mkdtempSync(`${tmpdir()}/banger-script-`)
    const [head, ...stages] = readFileSync(new URL(`${name}.sh`, directory), "utf8").split(/^# stage: /m)
    // Without a mark all of it would be run here, on whoever tests.
    assert.isNotEmpty(stages)
    for (const [program, does] of [["curl", curl], ["install", `echo installed >>${bin}/log`], ["git", "exit 128"], ["apt-get", "exit 100"]] as const) {
      writeFileSync(`${bin}/${program}`, `#!/bin/sh\n${does}\n`, { mode: 0o755 })
    }
    const { status, stdout } = spawnSync("bash", ["-c", `${head}\n${then}\nsay "in the end:$left"`], {
      encoding: "utf8", env: { PATH: `${bin}:${process.env["PATH"]}`, MISE_URL: "https://x/mise.tgz", MISE_SHA256: "0".repeat(64), DOCKER_URL: "https://x", DOCKER_PACKAGES: "docker", TMUX_PLUGINS_URL: "https://x" }
    })
    const log = existsSync(`${bin}/log`) ? readFileSync(`${bin}/log`, "utf8") : ""
    rmSync(bin, { recursive: true })
    return { status, stdout, log }
  }

  it("says what it leaves out when a source does not answer, and goes on", () => {
    const { status, stdout } = functions("debian-bookworm", `try Docker docker; try mise mise; try plug plugin "gone-for-a-test@${"0".repeat(40)}"`, "exit 7")
    assert.strictEqual(status, 0)
    assert.match(stdout, /== left out: mise \(see above\)\n/)
    assert.match(stdout, /== in the end:, Docker, mise, plug\n$/)
    assert.match(functions("void", "try mise mise", "exit 7").stdout, /== in the end:, mise\n$/)
  })

  it("installs nothing whose digest is another", () => {
    const wrong = functions("debian-bookworm", "try mise mise", `for last; do :; done; echo other >"$last"`)
    assert.deepStrictEqual([wrong.status, wrong.log], [0, ""])
    assert.match(wrong.stdout, /== in the end:, mise\n$/)
  })

  it("every script uses the variables that its recipe has, and no others", () => {
    for (const [name, entry] of Object.entries(catalog.images)) {
      if (entry.kind === "bundle") continue
      const script = readFileSync(new URL(entry.script, directory), "utf8")
      const used = new Set([...script.matchAll(/\$\{?([A-Z][A-Z0-9_]+)/g)].map(([, variable]) => variable))
      assert.deepStrictEqual([...used].toSorted(), Object.keys(entry.parameters).toSorted(), name)
    }
  })
})

describe("the interpreter of a script", () => {
  it("is what its first line says, as the kernel reads it", () => {
    assert.deepStrictEqual(
      ["#!/bin/bash\necho", "#! /usr/bin/env  bash -e \necho", "#!/bin/sh", "echo", "", "\n#!/bin/bash", "#!\n"].map(interpreter),
      [["/bin/bash"], ["/usr/bin/env", "bash -e"], ["/bin/sh"], ["/bin/sh", "-e"], ["/bin/sh", "-e"], ["/bin/sh", "-e"], ["/bin/sh", "-e"]]
    )
  })
})

describe("a catalog of the user's", () => {
  const base = mkdtempSync(`${tmpdir()}/banger-recipes-`)
  const script = "#!/bin/sh\necho made\n"
  const sha256 = createHash("sha256").update(script).digest("hex")
  const recipe = (change: object) => ({ kind: "recipe", about: "", from: "debian:12", script: "make.sh", sha256, sizeMib: 1024, parameters: { SOURCE: "here" }, ...change })
  const images = { good: recipe({}), wrong: recipe({ sha256: "0".repeat(64) }), unsure: recipe({ sha256: undefined }), local: recipe({ script: "file:///etc/hostname" }), far: recipe({ script: "ftp://x/y" }), long: recipe({ script: "long.sh" }) }
  const packaged = (url: string) => ({ about: "", packages: [{ url, sha256, bytes: 20 }] })
  const kernels = { near: packaged("pool/linux.deb"), local: packaged("file:///etc/hostname") }
  const server = Http.createServer((request, response) => {
    const path = `${base}${request.url}`
    try {
      response.end(readFileSync(path))
    } catch {
      response.writeHead(404).end()
    }
  })
  let web = ""
  beforeAll(async () => {
    writeFileSync(`${base}/catalog.json`, JSON.stringify({ images, kernels }))
    writeFileSync(`${base}/make.sh`, script)
    writeFileSync(`${base}/long.sh`, "x".repeat(2 << 20))
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    web = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.close()
    rmSync(base, { recursive: true })
  })
  const find = (url: string, name: string, parameters = "") => {
    writeFileSync(`${base}/config.toml`, `[catalog]\nurls = ["${url}"]\n${parameters}`)
    return Effect.runPromise(makeRecipes.pipe(Effect.flatMap((lookUp) => lookUp(ImageName.make(name), nothing)), Effect.flip, Effect.orElse(() => Effect.succeed({ message: "found" })), Effect.map(({ message }) => message), Effect.provide(Config.layer(`${base}/config.toml`))))
  }

  it("is read from a file and from a web server, and its scripts are checked", async () => {
    assert.strictEqual(await find(`file://${base}/catalog.json`, "good"), "found")
    assert.strictEqual(await find(`${web}/catalog.json`, "good"), "found")
    assert.match(await find(`${web}/catalog.json`, "wrong"), /make\.sh: its sha256 is [0-9a-f]{64}, not 0{64}/)
    assert.match(await find(`${web}/catalog.json`, "unsure"), /gives no sha256/)
    assert.match(await find(`${web}/catalog.json`, "long"), /longer than 1048576 bytes/)
    assert.match(await find(`file://${base}/long.sh`, "good"), /longer than 1048576 bytes/)
    assert.match(await find(`file://${base}`, "good"), /is no file/)
    assert.match(await find(`${web}/none.json`, "good"), /answers 404/)
    assert.match(await find(`file://${base}/make.sh`, "good"), /make\.sh/)
  })

  it("names nothing on this host when it came from elsewhere", async () => {
    assert.match(await find(`${web}/catalog.json`, "local"), /can only name what is on one/)
    assert.match(await find(`file://${base}/catalog.json`, "far"), /can only name what is on one/)
  })

  it("has kernels, as packages at whole addresses", async () => {
    const packagesOf = (catalog: string, name: string) => {
      writeFileSync(`${base}/config.toml`, `[catalog]\nurls = ["${web}/${catalog}"]\n`)
      return Effect.runPromise(makeKernelPackages.pipe(
        Effect.flatMap((lookUp) => lookUp(KernelName.make(name), nothing)),
        Effect.map((found) => Option.getOrElse(found, () => []).map(({ url }) => url)),
        Effect.catchAll(({ message }) => Effect.succeed(message)),
        Effect.provide(Config.layer(`${base}/config.toml`))
      ))
    }
    writeFileSync(`${base}/empty.json`, JSON.stringify({ kernels: { none: { about: "", packages: [] } } }))
    assert.deepStrictEqual(await packagesOf("catalog.json", "near"), [`${web}/pool/linux.deb`])
    assert.match(String(await packagesOf("catalog.json", "local")), /can only name what is on one/)
    assert.match(String(await packagesOf("empty.json", "none")), /packages/)
  })

  it("is listed, before banger's own, with what a pull would take of two that share a name", async () => {
    const offers = (about: string) => {
      const kernel = { about, packages: [{ url: "linux.deb", sha256: "0".repeat(64), bytes: 1 }] }
      writeFileSync(`${base}/offers.json`, JSON.stringify({ kernels: { "debian-6.1": kernel, debian: kernel } }))
      writeFileSync(`${base}/config.toml`, `[catalog]\nurls = ["${web}/offers.json"]\n`)
      return Effect.runPromise(makeOffers(new URL("catalog.json", directory)).pipe(
        Effect.flatMap((all) => all(nothing)),
        Effect.map((all) => all.map(({ about, kind, name }) => `${kind} ${name}: ${about}`)),
        Effect.catchAll(({ message }) => Effect.succeed([message])),
        Effect.provide(Config.layer(`${base}/config.toml`))
      ))
    }
    const [first, second, ...own] = await offers("ours")
    assert.deepStrictEqual([first, second], ["kernel debian-6.1: ours", "kernel debian: ours"])
    assert.deepStrictEqual(own, Object.entries(catalog.images).map(([name, { about }]) => `image ${name}: ${about}`))
    for (const about of ["two\nlines", "\x1b[2J", "\u202etxet", "x".repeat(201)]) assert.match(String(await offers(about)), /expected one line of at most 200 characters/)
  })

  it("has the parameters that it has", async () => {
    assert.strictEqual(await find(`${web}/catalog.json`, "good", "[catalog.parameters.good]\nSOURCE = 'there'\n"), "found")
    assert.match(await find(`${web}/catalog.json`, "good", "[catalog.parameters.good]\nSORCE = 'there'\n"), /it has no parameter SORCE/)
  })
})

describe("a proxy", () => {
  const base = mkdtempSync(`${tmpdir()}/banger-proxy-`)
  afterAll(() => rmSync(base, { recursive: true }))
  const sessionOf = (given: Parameters<Effect.Effect.Success<typeof makeSession>>[0], config: string) => {
    writeFileSync(`${base}/config.toml`, config)
    return Effect.runPromise(makeSession.pipe(Effect.flatMap((of) => of(given)), Effect.provide(Config.layer(`${base}/config.toml`))))
  }

  it("is the caller's, else the configuration's", async () => {
    const config = `[proxy]\nhttps = "http://config.example:3128"\nno_proxy = "near.example"\n`
    const caller = { proxy: { https: "http://caller.example:1" }, logins: {} }
    assert.deepStrictEqual((await sessionOf(caller, config)).proxy, { https: "http://caller.example:1" })
    assert.deepStrictEqual((await sessionOf(nothing, config)).proxy, { http: undefined, https: "http://config.example:3128", noProxy: "near.example" })
    assert.deepStrictEqual((await sessionOf(undefined, "")).proxy, { http: undefined, https: undefined, noProxy: undefined })
    assert.match(await sessionOf(undefined, `[proxy]\nhttps = "config.example"\n`).then(() => "taken", String), /expected an address such as http:\/\/proxy.example:3128/)
  })

  it("gets the requests for catalogs, but for hosts that are named", async () => {
    const asked: Array<string> = []
    const server = Http.createServer(({ url }, response) => {
      asked.push(url ?? "")
      if (url?.endsWith("/moved")) response.writeHead(302, { location: "/here" }).end()
      else if (url?.endsWith("/away")) response.writeHead(302, { location: "file:///etc/hostname" }).end()
      else if (url?.endsWith("/circle")) response.writeHead(302, { location: "/circle" }).end()
      else response.end("text")
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const here = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const get = (url: string, noProxy?: string) =>
      Effect.runPromise(download(new URL(url), { http: `http://${here}`, noProxy }, 100).pipe(Effect.catchAll(({ message }) => Effect.succeed(message))))
    try {
      assert.strictEqual(await get("http://catalog.example/moved"), "text")
      assert.deepStrictEqual(asked.splice(0), ["http://catalog.example/moved", "http://catalog.example/here"])
      assert.strictEqual(await get(`http://${here}/direct`, "127.0.0.1"), "text")
      assert.deepStrictEqual(asked.splice(0), ["/direct"])
      assert.match(await get("http://catalog.example/away"), /sends us to "file:/)
      assert.match(await get("http://catalog.example/circle"), /redirects more than 5 times/)
    } finally {
      server.close()
    }
  })
})
