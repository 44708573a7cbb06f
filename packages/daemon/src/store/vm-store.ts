import * as fs from "node:fs/promises"
import * as SqlClient from "@effect/sql/SqlClient"
import * as SqlSchema from "@effect/sql/SqlSchema"
import { file, writeWhole } from "@banger/capabilities/files.ts"
import { NameTaken, NoFreeAddress, StateUnwritable } from "@banger/domain/errors.ts"
import { Digest, Slot, VmId, VmName } from "@banger/domain/ids.ts"
import { type Cidr, slots } from "@banger/domain/network.ts"
import { VmRecord } from "@banger/domain/vm.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const Row = Schema.Struct({ id: VmId, name: VmName, slot: Slot, record: Schema.parseJson(VmRecord) })
const row = (record: VmRecord) => ({ id: record.spec.id, name: record.spec.name, slot: record.spec.slot, record })

const unwritable = (error: { readonly message: string }) => new StateUnwritable({ problem: error.message })

/**
 * The records of all VMs, in the database and each beside it as vms/<id>/vm.json, from which a database that was lost
 * is filled again when it is opened. Every write is durable before it returns.
 */
export class VmStore extends Context.Tag("@banger/daemon/VmStore")<VmStore, {
  /** Files that VMs use whose records could not be taken into the database. */
  readonly unread: ReadonlySet<Digest>
  readonly all: Effect.Effect<ReadonlyArray<VmRecord>, StateUnwritable>
  /** Takes a name and the lowest free slot of the network for a new record; nobody else gets either until it is removed. */
  readonly reserve: (
    cidr: Cidr,
    name: VmName,
    make: (slot: Slot) => VmRecord
  ) => Effect.Effect<VmRecord, NameTaken | NoFreeAddress | StateUnwritable>
  readonly save: (record: VmRecord) => Effect.Effect<void, StateUnwritable>
  /** Succeeds when it is not there. */
  readonly remove: (id: VmId) => Effect.Effect<void, StateUnwritable>
}>() {
  static readonly layer = (directory: string) =>
    Layer.effect(VmStore, Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const insert = SqlSchema.void({ Request: Row, execute: (request) => sql`INSERT INTO vms ${sql.insert(request)}` })
      const update = SqlSchema.void({
        Request: Row,
        execute: ({ id, record }) => sql`UPDATE vms SET record = ${record} WHERE id = ${id}`
      })
      const rows = SqlSchema.findAll({ Request: Schema.Void, Result: Row, execute: () => sql`SELECT * FROM vms ORDER BY name` })
      const named = SqlSchema.findOne({ Request: VmName, Result: Row, execute: (name) => sql`SELECT * FROM vms WHERE name = ${name}` })

      const json = (id: VmId) => `${directory}/${id}/vm.json`
      const beside = (record: VmRecord) =>
        file(`${directory}/${record.spec.id}`, () => fs.mkdir(`${directory}/${record.spec.id}`, { recursive: true, mode: 0o700 })).pipe(
          Effect.zipRight(Schema.encode(Schema.parseJson(VmRecord))(record)),
          Effect.flatMap((text) => writeWhole(json(record.spec.id), text, 0o600))
        )

      const unread = new Set<Digest>()
      const DIGESTS = /\b[0-9a-f]{64}\b/g
      /** Whatever cannot be taken, what it names stays. */
      const taken = (text: string) =>
        Schema.decode(Schema.parseJson(VmRecord))(text).pipe(
          Effect.tap((record) => insert(row(record))),
          Effect.tapError(() => Effect.sync(() => text.match(DIGESTS)?.forEach((digest) => unread.add(Digest.make(digest))))),
          Effect.mapError(({ message }) => new Error(`it cannot be taken, and is left as it is: ${message}`))
        )

      /** Records that the database lacks: it was lost, and the VMs were not. */
      const takeIn = (id: VmId) =>
        file(json(id), () => fs.readFile(json(id), "utf8")).pipe(
          Effect.flatMap(taken),
          Effect.tap(({ spec }) => Effect.logWarning(`${spec.name} was not in the database: taken from ${json(id)}`)),
          Effect.catchAll((error) => Effect.logError(`${json(id)}: ${error.message}`))
        )
      const known = new Set<string>((yield* rows()).map(({ id }) => id))
      const written = yield* file(directory, () => fs.readdir(directory))
      yield* Effect.forEach(written.filter(Schema.is(VmId)).filter((id) => !known.has(id)), takeIn, { discard: true })

      const all = Effect.map(rows(), (found) => found.map(({ record }) => record)).pipe(Effect.mapError(unwritable))
      return {
        unread,
        all,
        reserve: (cidr, name, make) =>
          sql.withTransaction(Effect.gen(function*() {
            if (Option.isSome(yield* named(name))) return yield* new NameTaken({ name })
            const taken = new Set((yield* rows()).map(({ slot }) => slot))
            const slot = slots(cidr).find((candidate) => !taken.has(candidate))
            if (slot === undefined) return yield* new NoFreeAddress({ cidr, inUse: taken.size })
            const record = make(slot)
            yield* insert(row(record))
            // Inside, so that a file that cannot be written takes the row back with it.
            yield* beside(record)
            return record
          })).pipe(
            Effect.mapError((error) => error instanceof NameTaken || error instanceof NoFreeAddress ? error : unwritable(error))
          ),
        save: (record) => Effect.zipRight(update(row(record)), beside(record)).pipe(Effect.mapError(unwritable)),
        // The file first: it would bring the row back.
        remove: (id) =>
          file(json(id), () => fs.rm(json(id), { force: true })).pipe(
            Effect.zipRight(sql`DELETE FROM vms WHERE id = ${id}`),
            Effect.zipRight(file(directory, () => fs.rm(`${directory}/${id}`, { recursive: true, force: true }))),
            Effect.mapError(unwritable)
          )
      }
    }))
}
