import * as NodeContext from "@effect/platform-node/NodeContext"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqliteMigrator from "@effect/sql-sqlite-node/SqliteMigrator"
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/**
 * A record is one JSON document; what must be unique, or is looked up, stands beside it in a column of its own. The
 * names of migrations are their order and never change.
 */
const migrations = {
  "0001_vms_images_kernels": Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE vms (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, slot INTEGER NOT NULL UNIQUE, record TEXT NOT NULL) STRICT`
    yield* sql`CREATE TABLE images (name TEXT NOT NULL, generation INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (name, generation)) STRICT`
    yield* sql`CREATE TABLE kernels (name TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT`
  })
}

/** Written by a version of banger that knows more migrations. Its form is not ours to guess. */
export class DatabaseNewer extends Schema.TaggedError<DatabaseNewer>()("DatabaseNewer", { path: Schema.String, schema: Schema.Int, known: Schema.Int }) {
  override get message() {
    return `${this.path} was written by a newer banger (its schema is ${this.schema}, this version knows ${this.known}): install that version again, it has all VMs`
  }
}

const refuseNewer = (path: string) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [newest] = yield* sql<{ readonly schema: number | null }>`SELECT max(migration_id) AS schema FROM effect_sql_migrations`.pipe(
      // A new file has no such table.
      Effect.orElseSucceed(() => [])
    )
    const known = Object.keys(migrations).length
    const schema = newest?.schema ?? 0
    if (schema > known) return yield* new DatabaseNewer({ path, schema, known })
  })

/**
 * Each commit is on the disk when it returns. The journal's file is kept from one commit to the next, so that a full disk,
 * on which no file can be made or grown, still lets records be opened, read, changed and deleted: a write-ahead log would not.
 */
const settings = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`PRAGMA journal_mode = PERSIST`
  yield* sql`PRAGMA synchronous = FULL`
  // One process has it: no lock is taken anew for each statement.
  yield* sql`PRAGMA locking_mode = EXCLUSIVE`
})

/** Makes the journal as long as a change of every record needs, while there is room. */
const fillJournal = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const touch = Effect.all([sql`UPDATE vms SET name = name || ''`, sql`UPDATE images SET name = name || ''`, sql`UPDATE kernels SET name = name || ''`])
  yield* sql.withTransaction(Effect.zipRight(touch, Effect.fail("rolled back" as const))).pipe(Effect.ignore)
})

/** The daemon's database, migrated. The file's directory must exist. */
export const layer = (filename: string) =>
  Layer.effectDiscard(fillJournal).pipe(
    Layer.provideMerge(SqliteMigrator.layer({ loader: Migrator.fromRecord(migrations) })),
    Layer.provideMerge(Layer.effectDiscard(Effect.zipRight(settings, refuseNewer(filename)))),
    Layer.provideMerge(SqliteClient.layer({ filename, disableWAL: true })),
    Layer.provide(NodeContext.layer)
  )
