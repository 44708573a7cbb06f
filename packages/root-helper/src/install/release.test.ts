import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { setTimeout as after } from "node:timers/promises"
import { RESERVE_BYTES } from "@banger/capabilities/testing/settings.ts"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { withCommands } from "../testing/commands.ts"
import { release } from "./release.ts"

const RELEASE = new URL("release.ts", import.meta.url).href

/** A build that says everywhere which one it is; under a strict umask, as `umask 077; make build` leaves it. */
const build = (at: string, version: string) => {
  for (const directory of ["bin", "lib", "units"]) fs.mkdirSync(`${at}/${directory}`, { recursive: true, mode: 0o700 })
  fs.writeFileSync(`${at}/bin/banger`, `#!/bin/sh\nhere=elsewhere\n${version}\n`, { mode: 0o700 })
  fs.writeFileSync(`${at}/bin/node`, version, { mode: 0o700 })
  for (let n = 0; n < 6; n++) fs.writeFileSync(`${at}/lib/part-${n}`, version.repeat(50_000), { mode: 0o600 })
  fs.writeFileSync(`${at}/units/bangerd.service`, version, { mode: 0o600 })
  return at
}

/** Which version is installed: whole, readable for all, with the launcher of its own directory. */
const installed = (library: string): string => {
  const directory = fs.realpathSync(`${library}/current`)
  const version = fs.readFileSync(`${directory}/bin/node`, "utf8")
  assert.strictEqual(fs.readFileSync(`${directory}/bin/banger`, "utf8"), `#!/bin/sh\nhere=${directory}/bin\n${version}\n`)
  for (let n = 0; n < 6; n++) assert.strictEqual(fs.readFileSync(`${directory}/lib/part-${n}`, "utf8"), version.repeat(50_000))
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const { mode } = fs.statSync(`${entry.parentPath}/${entry.name}`)
    assert.strictEqual(mode & 0o777, entry.isDirectory() || entry.parentPath.endsWith("/bin") ? 0o755 : 0o644, entry.name)
  }
  return version
}

const stepsOf = (source: string, version: string, library: string) => release({ source, version, reserveBytes: RESERVE_BYTES, library, before: undefined, replacements: [], accept: () => Effect.void })
const install = (source: string, version: string, library: string, steps = Infinity) =>
  Effect.forEach(stepsOf(source, version, library).slice(0, steps), (step) => step.do)

describe("an install's directory", () => {
  it.scoped("is for all to read whatever the umask was, and the last one is kept for a rollback, no more", () => Effect.gen(function*() {
    const root = yield* temporary
    const library = `${root}/library`
    for (const version of ["1", "2", "3"]) yield* install(build(`${root}/${version}`, version), version, library)
    assert.strictEqual(installed(library), "3")
    assert.match(fs.readlinkSync(`${library}/current`), /^3-[0-9a-f]{8}$/)
    assert.match(fs.readlinkSync(`${library}/previous`), /^2-[0-9a-f]{8}$/)
    assert.strictEqual(fs.readdirSync(library).length, 4)
    // The rollback: the same install, from what was kept.
    yield* install(fs.realpathSync(`${library}/previous`), "2", library)
    assert.strictEqual(installed(library), "2")
  }))

  it.scoped("is not begun where a daemon of the user's own has no room", () => Effect.gen(function*() {
    const root = yield* temporary
    const library = `${root}/library`
    yield* install(build(`${root}/1`, "1"), "1", library)
    const [from, name] = [`${root}/huge.mjs`, "bangerd.mjs"]
    fs.writeFileSync(from, "")
    // A hole, which a copy would fill.
    fs.truncateSync(from, 8 * 2 ** 40)
    const steps = release({ reserveBytes: RESERVE_BYTES, source: build(`${root}/2`, "2"), version: "2", library, before: undefined, replacements: [{ from, name }], accept: () => Effect.void })
    const refused = yield* Effect.flip(Effect.forEach(steps, (step) => step.do))
    assert.match(refused.message, /8(\.0)? TiB are wanted/)
    assert.strictEqual(installed(library), "1")
    assert.lengthOf(fs.readdirSync(library), 2)
  }))

  it.scoped("is whole wherever an install ends, and the next one removes what that left", () => Effect.gen(function*() {
    const root = yield* temporary
    const [old, fresh] = [build(`${root}/old`, "1"), build(`${root}/new`, "2")]
    for (let ended = 0; ended <= stepsOf(fresh, "2", "").length; ended++) {
      const library = `${root}/library-${ended}`
      yield* install(old, "1", library)
      yield* install(fresh, "2", library, ended)
      assert.include(["1", "2"], installed(library))
      yield* install(fresh, "2", library)
      assert.strictEqual(installed(library), "2")
      assert.strictEqual(fs.readdirSync(library).length, 4)
    }
  }))

  it.scoped("stays the old one when the disk fails in the midst of the copy", () => Effect.gen(function*() {
    const root = yield* temporary
    const library = `${root}/library`
    yield* install(build(`${root}/old`, "1"), "1", library)
    const fresh = build(`${root}/new`, "2")
    fs.symlinkSync("/dev/null", `${fresh}/lib/odd`)
    const failure = yield* Effect.flip(install(fresh, "2", library))
    assert.include(failure.message, "neither a file nor a directory")
    assert.strictEqual(installed(library), "1")
    assert.deepStrictEqual(fs.readdirSync(library).filter((name) => name.startsWith("2-")), [])
  }))

  it.scoped("stays the old one, with nothing copied, when there is no room for the new one", () => Effect.gen(function*() {
    const root = yield* temporary
    const library = `${root}/library`
    yield* install(build(`${root}/old`, "1"), "1", library)
    const fresh = build(`${root}/new`, "2")
    fs.truncateSync(`${fresh}/lib/part-0`, 8 * 2 ** 40)
    assert.include((yield* Effect.flip(install(fresh, "2", library))).message, "TiB are wanted")
    assert.deepStrictEqual([installed(library), fs.readdirSync(library).filter((name) => name.startsWith("2-"))], ["1", []])
  }))

  it.scoped("stays the old one when the whole copy is refused", () => Effect.gen(function*() {
    const root = yield* temporary
    const library = `${root}/library`
    yield* install(build(`${root}/old`, "1"), "1", library)
    const accept = (directory: string) => fs.existsSync(`${directory}/bin/banger`) ? Effect.fail({ message: "no" }) : Effect.void
    const refused = yield* Effect.flip(Effect.forEach(release({ reserveBytes: RESERVE_BYTES, source: build(`${root}/new`, "2"), version: "2", library, before: undefined, replacements: [], accept }), (step) => step.do))
    assert.deepStrictEqual([refused.message, installed(library), fs.readdirSync(library).filter((name) => name.startsWith("2-"))], ["no", "1", []])
  }))

  it.scoped("is labelled anew where the host has labels, before anything is run from it", () => Effect.gen(function*() {
    const root = yield* temporary
    const done: Array<string> = []
    const { release: labelling } = yield* Effect.promise(() => withCommands(
      () => (argv) => Effect.sync(() => {
        done.push(argv.join(" "))
        return ""
      }),
      (tool) => `/usr/sbin/${tool}`,
      () => import("./release.ts")
    ))
    const accept = (directory: string) => Effect.sync(() => done.push(`run ${directory}`))
    yield* Effect.forEach(labelling({ reserveBytes: RESERVE_BYTES, source: build(`${root}/new`, "2"), version: "2", library: `${root}/library`, before: undefined, replacements: [], accept }), (step) => step.do)
    const directory = fs.realpathSync(`${root}/library/current`)
    assert.deepStrictEqual(done, [`restorecon -RF ${directory}`, `run ${directory}`])
  }))

  it.scoped("is whole after an installer that was killed at any moment", () => Effect.gen(function*() {
    const root = yield* temporary
    const library = `${root}/library`
    yield* install(build(`${root}/0`, "0"), "0", library)
    const script = `
      const { release } = await import(${JSON.stringify(RELEASE)})
      const Effect = await import("effect/Effect")
      process.stdout.write("begun")
      for (let n = 0;; n++) for (const step of release({ reserveBytes: ${RESERVE_BYTES}, source: ${JSON.stringify(build(`${root}/1`, "1"))}, version: "1", library: ${JSON.stringify(library)}, before: undefined, replacements: [], accept: () => Effect.void })) await Effect.runPromise(step.do)`
    for (let n = 0; n < 5; n++) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] })
      yield* Effect.promise(() => new Promise((resolve) => child.stdout.once("data", resolve)))
      // Any moment will do: what must hold, holds at each.
      yield* Effect.promise(() => after(Math.random() * 150))
      child.kill("SIGKILL")
      yield* Effect.promise(() => new Promise((resolve) => child.once("exit", resolve)))
      assert.include(["0", "1"], installed(library))
    }
    yield* install(`${root}/1`, "1", library)
    assert.strictEqual(installed(library), "1")
    assert.strictEqual(fs.readdirSync(library).length, 4)
  }), 120_000)
})
