import * as SqlClient from "@effect/sql/SqlClient"
import * as SqlSchema from "@effect/sql/SqlSchema"
import { origin } from "@banger/domain/catalog.ts"
import { StateUnwritable } from "@banger/domain/errors.ts"
import { ImageName, KernelName } from "@banger/domain/ids.ts"
import { ImageFiles, KernelFiles } from "@banger/domain/vm.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

export const ImageRecord = Schema.Struct({
  files: ImageFiles,
  kernel: Schema.NullOr(KernelName),
  rootfsBytes: Schema.Number,
  createdAt: Schema.Number,
  ...origin
})
export type ImageRecord = typeof ImageRecord.Type

export const KernelRecord = Schema.Struct({ files: KernelFiles, createdAt: Schema.Number })
export type KernelRecord = typeof KernelRecord.Type

const ImageRow = Schema.Struct({ name: ImageName, generation: Schema.Int, record: Schema.parseJson(ImageRecord) })
const KernelRow = Schema.Struct({ name: KernelName, record: Schema.parseJson(KernelRecord) })

const unwritable = (error: { readonly message: string }) => new StateUnwritable({ problem: error.message })

/** The records of images, by generation, and of kernels. */
export class CatalogStore extends Context.Tag("@banger/daemon/CatalogStore")<CatalogStore, {
  readonly images: Effect.Effect<ReadonlyArray<ImageRecord>, StateUnwritable>
  readonly addImage: (image: ImageRecord) => Effect.Effect<void, StateUnwritable>
  readonly removeImage: (name: ImageName, generation: number) => Effect.Effect<void, StateUnwritable>
  readonly kernels: Effect.Effect<ReadonlyArray<KernelRecord>, StateUnwritable>
  /** Replaces a kernel of that name. */
  readonly putKernel: (kernel: KernelRecord) => Effect.Effect<void, StateUnwritable>
  readonly removeKernel: (name: KernelName) => Effect.Effect<void, StateUnwritable>
}>() {
  static readonly layer = Layer.effect(CatalogStore, Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const images = SqlSchema.findAll({ Request: Schema.Void, Result: ImageRow, execute: () => sql`SELECT * FROM images ORDER BY name, generation` })
    const kernels = SqlSchema.findAll({ Request: Schema.Void, Result: KernelRow, execute: () => sql`SELECT * FROM kernels ORDER BY name` })
    const addImage = SqlSchema.void({ Request: ImageRow, execute: (row) => sql`INSERT INTO images ${sql.insert(row)}` })
    const putKernel = SqlSchema.void({ Request: KernelRow, execute: (row) => sql`INSERT OR REPLACE INTO kernels ${sql.insert(row)}` })
    return {
      images: Effect.map(images(), (rows) => rows.map(({ record }) => record)).pipe(Effect.mapError(unwritable)),
      addImage: (record) =>
        addImage({ name: record.files.name, generation: record.files.generation, record }).pipe(Effect.mapError(unwritable)),
      removeImage: (name, generation) =>
        sql`DELETE FROM images WHERE name = ${name} AND generation = ${generation}`.pipe(Effect.asVoid, Effect.mapError(unwritable)),
      kernels: Effect.map(kernels(), (rows) => rows.map(({ record }) => record)).pipe(Effect.mapError(unwritable)),
      putKernel: (record) => putKernel({ name: record.files.name, record }).pipe(Effect.mapError(unwritable)),
      removeKernel: (name) => sql`DELETE FROM kernels WHERE name = ${name}`.pipe(Effect.asVoid, Effect.mapError(unwritable))
    }
  }))
}
