import { readdirSync, renameSync, rmSync } from "node:fs"
import { basename, dirname } from "node:path"
import { DAEMON_STATE } from "@banger/capabilities/paths.ts"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqliteMigrator from "@effect/sql-sqlite-node/SqliteMigrator"
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
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

/** Where the installed daemon has it. */
export const DATABASE = `${DAEMON_STATE}/banger.db`

const client = (filename: string) => SqliteClient.layer({ filename, disableWAL: true })

/** sqlite's codes of a file that is no database, or is one no more. */
const DAMAGE = ["SQLITE_NOTADB", "SQLITE_CORRUPT"]

const damageIn = ({ cause }: { readonly cause?: unknown }): string | undefined =>
  cause instanceof Error && "code" in cause && DAMAGE.includes(String(cause.code)) ? cause.message : undefined

/** What sqlite finds wrong with the pages of the file, if anything. Whatever else keeps it from being read is no damage. */
const damage = (filename: string): Effect.Effect<string | undefined> =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [found] = yield* sql<{ readonly quick_check: string }>`PRAGMA quick_check(1)`
    return found === undefined || found.quick_check === "ok" ? undefined : found.quick_check
  }).pipe(
    Effect.provide(client(filename)),
    Effect.scoped,
    Effect.catchTag("SqlError", (error) => Effect.succeed(damageIn(error))),
    // What opens it in earnest says so.
    Effect.catchAllCause(() => Effect.succeed(undefined))
  )

const SET_ASIDE = ".damaged-"

/** Databases that were found damaged, newest last. */
export const damaged = (filename: string): ReadonlyArray<string> =>
  readdirSync(dirname(filename)).filter((name) => name.startsWith(`${basename(filename)}${SET_ASIDE}`)).toSorted().map((name) => `${dirname(filename)}/${name}`)

/** Each VM's record lies beside the database as well, so a daemon can begin a new one; the damaged file is kept for whoever can read it. */
const setAside = (filename: string) =>
  Effect.gen(function*() {
    const found = yield* damage(filename)
    if (found === undefined) return
    const aside = `${filename}${SET_ASIDE}${new Date(yield* Clock.currentTimeMillis).toISOString()}`
    yield* Effect.logWarning(`${filename} is damaged (${found}): it is kept as ${aside}, and VMs are taken in from their files`)
    renameSync(filename, aside)
    // sqlite has undone by now what it had of an unfinished change: for another file it means nothing.
    rmSync(`${filename}-journal`, { force: true })
  })

/** The daemon's database, migrated. The file's directory must exist. */
export const layer = (filename: string) =>
  Layer.effectDiscard(fillJournal).pipe(
    Layer.provideMerge(SqliteMigrator.layer({ loader: Migrator.fromRecord(migrations) })),
    Layer.provideMerge(Layer.effectDiscard(Effect.zipRight(settings, refuseNewer(filename)))),
    Layer.provideMerge(Layer.unwrapEffect(Effect.as(setAside(filename), client(filename)))),
    Layer.provide(NodeContext.layer)
  )
