import * as NodeContext from "@effect/platform-node/NodeContext"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqliteMigrator from "@effect/sql-sqlite-node/SqliteMigrator"
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

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

/** The daemon's database, migrated. The file's directory must exist. */
export const layer = (filename: string) =>
  SqliteMigrator.layer({ loader: Migrator.fromRecord(migrations) }).pipe(
    Layer.provideMerge(SqliteClient.layer({ filename })),
    Layer.provide(NodeContext.layer)
  )
