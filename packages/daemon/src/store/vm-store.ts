import * as fs from "node:fs/promises"
import * as SqlClient from "@effect/sql/SqlClient"
import { file, writeWhole } from "@banger/capabilities/files.ts"
import { NameTaken, NoFreeAddress, StateUnwritable } from "@banger/domain/errors.ts"
import { type Digest, Slot, VmId, VmName } from "@banger/domain/ids.ts"
import { type Cidr, slots } from "@banger/domain/network.ts"
import { VmRecord } from "@banger/domain/vm.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { columnsIn, digestsIn, type Read, read } from "./salvage.ts"

const Row = Schema.Struct({ id: VmId, name: VmName, slot: Slot, record: Schema.String })
const row = (record: VmRecord) => ({ id: record.spec.id, name: record.spec.name, slot: record.spec.slot, record: encode(record) })
const encode = Schema.encodeSync(Schema.parseJson(VmRecord))

const unwritable = (error: { readonly message: string }) => new StateUnwritable({ problem: error.message })

/**
 * The records of all VMs, in the database and each beside it as vms/<id>/vm.json, from which a database that was lost
 * is filled again when it is opened. Every write is durable before it returns.
 */
export class VmStore extends Context.Tag("@banger/daemon/VmStore")<VmStore, {
  /** Files that VMs use whose records this version cannot read. */
  readonly unread: ReadonlySet<Digest>
  /** What there was when the database was opened. */
  readonly found: ReadonlyArray<Read>
  /** Takes a name and the lowest free slot of the network for a new record; nobody else gets either until it is removed. */
  readonly reserve: (
    cidr: Cidr,
    name: VmName,
    make: (slot: Slot) => VmRecord
  ) => Effect.Effect<VmRecord, NameTaken | NoFreeAddress | StateUnwritable>
  readonly save: (record: VmRecord) => Effect.Effect<void, StateUnwritable>
  /** Saves a record whose name is another one by now; the one it had is free. */
  readonly rename: (record: VmRecord) => Effect.Effect<void, NameTaken | StateUnwritable>
  /** Succeeds when it is not there. */
  readonly remove: (id: VmId) => Effect.Effect<void, StateUnwritable>
}>() {
  static readonly layer = (directory: string) =>
    Layer.effect(VmStore, Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const insert = ({ id, name, record, slot }: typeof Row.Type) => sql`INSERT INTO vms ${sql.insert({ id, name, slot, record })}`
      const update = (record: VmRecord) => sql`UPDATE vms SET name = ${record.spec.name}, record = ${encode(record)} WHERE id = ${record.spec.id}`
      const rows = sql<{ readonly [column: string]: unknown }>`SELECT * FROM vms ORDER BY name`

      const json = (id: VmId) => `${directory}/${id}/vm.json`
      const beside = (record: VmRecord) =>
        file(`${directory}/${record.spec.id}`, () => fs.mkdir(`${directory}/${record.spec.id}`, { recursive: true, mode: 0o700 })).pipe(
          Effect.zipRight(Schema.encode(Schema.parseJson(VmRecord))(record)),
          Effect.flatMap((text) => writeWhole(json(record.spec.id), text, 0o600))
        )

      const unread = new Set<Digest>()
      const keep = (text: string) => Effect.sync(() => digestsIn(text).forEach((digest) => unread.add(digest)))
      const written = (id: VmId) => file(json(id), () => fs.readFile(json(id), "utf8"))

      /** Records that the database lacks: it was lost, and the VMs were not. Also those that nobody can read: another version may. */
      const takeIn = (id: VmId) =>
        Effect.gen(function*() {
          const text = yield* written(id)
          const columns = columnsIn(text)
          if (Option.isNone(columns)) return yield* Effect.zipRight(keep(text), Effect.logError(`${json(id)} is no record of a VM, and is left as it is`))
          yield* insert({ id, ...columns.value, record: text }).pipe(Effect.tapError(() => keep(text)))
          yield* Effect.logWarning(`${columns.value.name} was not in the database: taken from ${json(id)}`)
        }).pipe(Effect.catchAll((error) => Effect.logError(`${json(id)}: ${error.message}`)))

      /** A row that cannot be read is taken from the file beside it where that can be. */
      const load = (columns: typeof Row.Type): Effect.Effect<Read> =>
        Effect.gen(function*() {
          const stored = read(columns, columns.record)
          if (stored.readable) return stored
          const beside = Option.map(yield* Effect.option(written(columns.id)), (text) => read(columns, text))
          if (Option.isSome(beside) && beside.value.readable && beside.value.record.spec.id === columns.id) return beside.value
          yield* keep(columns.record)
          yield* Effect.logError(`${columns.name}: ${stored.record.reason}`)
          return stored
        })

      const known = new Set((yield* rows).map(({ id }) => id))
      const directories = yield* file(directory, () => fs.readdir(directory))
      yield* Effect.forEach(directories.filter(Schema.is(VmId)).filter((id) => !known.has(id)), takeIn, { discard: true })
      const found = yield* Effect.forEach(yield* rows, (candidate) =>
        Schema.decodeUnknown(Row)(candidate).pipe(
          Effect.flatMap(load),
          Effect.asSome,
          Effect.catchAll((error) =>
            Effect.zipRight(keep(String(candidate["record"])), Effect.as(Effect.logError(`a row of the database is no VM's, and is left as it is: ${error.message}`), Option.none<Read>())))
        ))

      return {
        unread,
        found: found.flatMap(Option.toArray),
        reserve: (cidr, name, make) =>
          sql.withTransaction(Effect.gen(function*() {
            const all = yield* rows
            if (all.some((other) => other["name"] === name)) return yield* new NameTaken({ name })
            const taken = new Set(all.map(({ slot }) => slot))
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
        save: (record) => Effect.zipRight(update(record), beside(record)).pipe(Effect.mapError(unwritable)),
        rename: (record) =>
          sql.withTransaction(Effect.gen(function*() {
            const { id, name } = record.spec
            if ((yield* rows).some((other) => other["name"] === name && other["id"] !== id)) return yield* new NameTaken({ name })
            yield* update(record)
            // Inside, as for a new record.
            yield* beside(record)
          })).pipe(Effect.mapError((error) => error instanceof NameTaken ? error : unwritable(error))),
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
