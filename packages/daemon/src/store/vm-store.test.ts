import * as fs from "node:fs"
import * as path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Digest } from "@banger/domain/ids.ts"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { daemonOn, recovered, reserve } from "../testing.ts"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Database from "./database.ts"
import { VmStore } from "./vm-store.ts"
import { Lifecycle } from "../vms/lifecycle.ts"
import { Registry } from "../vms/registry.ts"

const quiet = () => Effect.void

const names = Effect.map(Registry, (registry) => registry.cells().map(({ record }) => `${record.spec.name} ${record.spec.slot}`))

describe("store", () => {
  it.scoped("a database that is lost is filled again from the files beside it", () => Effect.gen(function*() {
    const state = yield* temporary
    const daemon = <A, E>(test: Effect.Effect<A, E, Layer.Layer.Success<ReturnType<typeof daemonOn>>>) =>
      Effect.scoped(Effect.provide(test, daemonOn(state, new Set())))
    yield* daemon(Effect.gen(function*() {
      const registry = yield* Registry
      yield* reserve("one")
      yield* registry.remove(yield* reserve("two"))
      yield* reserve("three")
    }))
    for (const file of fs.readdirSync(state).filter((name) => name.startsWith("banger.db"))) fs.rmSync(path.join(state, file))
    assert.deepStrictEqual(yield* daemon(names), ["one 2", "three 3"])
    assert.deepStrictEqual(yield* daemon(names), ["one 2", "three 3"])
  }))

  it.scoped("a database that is damaged is kept beside a new one, which is filled from the files", () => Effect.gen(function*() {
    const noise = (file: string, from: number, to: number) => {
      const bytes = fs.readFileSync(file)
      fs.writeFileSync(file, bytes.fill(0x77, from, to))
    }
    const spoils: ReadonlyArray<(file: string) => void> = [
      (file) => fs.writeFileSync(file, "x".repeat(8192)),
      (file) => noise(file, 0, 4096),
      (file) => noise(file, 4096, 12_288),
      (file) => fs.truncateSync(file, Math.floor(fs.statSync(file).size / 8192) * 4096)
    ]
    for (const spoil of spoils) {
      const state = yield* temporary
      const daemon = <A, E>(test: Effect.Effect<A, E, Layer.Layer.Success<ReturnType<typeof daemonOn>>>) =>
        Effect.scoped(Effect.provide(test, daemonOn(state, new Set())))
      yield* daemon(Effect.zipRight(reserve("one"), reserve("two")))
      assert.deepStrictEqual(Database.damaged(path.join(state, "banger.db")), [])
      spoil(path.join(state, "banger.db"))
      assert.deepStrictEqual(yield* daemon(names), ["one 2", "two 3"])
      assert.strictEqual(Database.damaged(path.join(state, "banger.db")).length, 1)
      assert.deepStrictEqual(yield* daemon(names), ["one 2", "two 3"])
      assert.strictEqual(Database.damaged(path.join(state, "banger.db")).length, 1)
    }
  }))

  /** Two VMs, and a daemon that finds the first one's record as `change` leaves it, in the database and beside it. */
  const spoilt = (change: (record: string) => string, where: "both" | "database") =>
    Effect.gen(function*() {
      const state = yield* temporary
      const objects = new Set<string>()
      const daemon = <A, E>(test: Effect.Effect<A, E, Layer.Layer.Success<ReturnType<typeof daemonOn>> | Scope.Scope>) =>
        Effect.scoped(Effect.provide(test, daemonOn(state, objects)))
      const id = yield* daemon(Effect.gen(function*() {
        const lifecycle = yield* Lifecycle
        const one = yield* reserve("one")
        yield* lifecycle.create(one, quiet)
        yield* lifecycle.create(yield* reserve("two"), quiet)
        return one.record.spec.id
      }))
      const db = new DatabaseSync(path.join(state, "banger.db"))
      const text = change(String(db.prepare("SELECT record FROM vms WHERE name = 'one'").get()?.["record"]))
      db.prepare("UPDATE vms SET record = ? WHERE name = 'one'").run(text)
      db.close()
      const json = path.join(state, "vms", id, "vm.json")
      if (where === "both") fs.writeFileSync(json, text)
      return { daemon, json, objects, text }
    })

  const BAD = {
    "a state of another version": (text: string) => text.replace(`"state":"running"`, `"state":"dreaming"`),
    "half of it": (text: string) => text.slice(0, text.length / 2),
    "nothing": () => "",
    "another thing": () => "[]",
    "a spec of another version": (text: string) => text.replace(`"vcpu":1`, `"vcpu":{"cores":1}`)
  }

  for (const [what, change] of Object.entries(BAD)) {
    it.live(`a record that cannot be read (${what}) is one broken VM, whose files and run are left alone until it is deleted`, () => Effect.scoped(Effect.gen(function*() {
      const { daemon, json, objects, text } = yield* spoilt(change, "both")
      const before = [...objects]
      const one = yield* daemon(Effect.gen(function*() {
        const [cell, two] = yield* recovered
        assert.deepStrictEqual([two?.record.spec.name, two?.record.state], ["two", "running"])
        return cell?.record
      }))
      assert.deepStrictEqual([one?.spec.name, one?.state], ["one", "broken"])
      assert.match(one?.reason ?? "", /^this version cannot read its record \(.+\), and leaves it and its files as they are$/)
      assert.deepStrictEqual([...objects], before)
      assert.strictEqual(fs.readFileSync(json, "utf8"), text)
      yield* daemon(Effect.gen(function*() {
        const [cell] = yield* recovered
        if (cell === undefined) return assert.fail("it is gone")
        const lifecycle = yield* Lifecycle
        assert.match((yield* Effect.flip(lifecycle.start(cell, quiet))).message, /cannot read its record/)
        assert.strictEqual((yield* Effect.flip(lifecycle.remove(cell, false, quiet)))._tag, "WrongState")
        yield* lifecycle.stop(cell, 10, quiet)
        assert.deepStrictEqual([cell.record.state, fs.readFileSync(json, "utf8")], ["broken", text])
        assert.isFalse([...objects].some((object) => object.startsWith("unit ") && object.includes(cell.record.spec.id)))
        yield* lifecycle.remove(cell, true, quiet)
        assert.isFalse([...objects].some((object) => object.includes(cell.record.spec.id)))
      }))
      assert.deepStrictEqual((yield* daemon(names)), ["two 3"])
    })))
  }

  it.live("a row that cannot be read is taken from the file beside it", () => Effect.scoped(Effect.gen(function*() {
    const { daemon } = yield* spoilt((text) => text.slice(0, 40), "database")
    const cells = yield* daemon(Effect.map(recovered, (all) => all.map(({ record }) => `${record.spec.name} ${record.state}`)))
    assert.deepStrictEqual(cells, ["one running", "two running"])
  })))

  it.scoped("a database of a newer banger is refused in one line", () => Effect.gen(function*() {
    const state = yield* temporary
    yield* Effect.scoped(Effect.provide(names, daemonOn(state, new Set())))
    const db = new DatabaseSync(path.join(state, "banger.db"))
    db.prepare("INSERT INTO effect_sql_migrations (migration_id, name) VALUES (7, 'dreams')").run()
    db.close()
    const refused = yield* Effect.flip(Effect.scoped(Effect.provide(names, daemonOn(state, new Set()))))
    assert.strictEqual(refused.message, `${state}/banger.db was written by a newer banger (its schema is 7, this version knows 1): install that version again, it has all VMs`)
  }))

  it.scoped("a commit is on the disk, and needs no room of its own there", () => Effect.gen(function*() {
    const state = yield* temporary
    const sizes = () => ["banger.db", "banger.db-journal"].map((name) => fs.statSync(path.join(state, name)).size)
    yield* Effect.scoped(Effect.provide(Effect.gen(function*() {
      const registry = yield* Registry
      const cell = yield* reserve("one")
      const before = sizes()
      yield* registry.note(cell, { state: "stopped" })
      yield* registry.remove(cell)
      assert.deepStrictEqual(sizes(), before)
    }), daemonOn(state, new Set())))
    const settings = yield* Effect.map(SqlClient.SqlClient, (sql) => sql`SELECT * FROM pragma_synchronous, pragma_journal_mode`).pipe(
      Effect.flatten, Effect.provide(Database.layer(path.join(state, "other.db"))))
    assert.deepStrictEqual(settings, [{ synchronous: 2, journal_mode: "persist" }])
  }))

  it.scoped("a file that is no record is left alone, and what it names stays", () => Effect.gen(function*() {
    const state = yield* temporary
    const stray = path.join(state, "vms", "00000000000000ff")
    fs.mkdirSync(stray, { recursive: true })
    const digest = "0123456789abcdef".repeat(4)
    fs.writeFileSync(path.join(stray, "vm.json"), `{"version":99,"origin":"${digest}"`)
    const unread = Effect.map(VmStore, (store) => [...store.unread])
    assert.deepStrictEqual(yield* Effect.scoped(Effect.provide(Effect.all([names, unread]), daemonOn(state, new Set()))), [[], [Digest.make(digest)]])
    assert.isTrue(fs.existsSync(path.join(stray, "vm.json")))
  }))
})
