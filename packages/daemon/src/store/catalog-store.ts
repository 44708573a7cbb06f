import * as SqlClient from "@effect/sql/SqlClient"
import * as SqlSchema from "@effect/sql/SqlSchema"
import { origin } from "@banger/domain/catalog.ts"
import { StateUnwritable } from "@banger/domain/errors.ts"
import { type Digest, ImageName, KernelName } from "@banger/domain/ids.ts"
import { Milliseconds } from "@banger/domain/instant.ts"
import { ImageFiles, KernelFiles } from "@banger/domain/vm.ts"
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { digestsIn, problemOf } from "./salvage.ts"

export const ImageRecord = Schema.Struct({
  files: ImageFiles,
  kernel: Schema.NullOr(KernelName),
  rootfsBytes: Schema.Number,
  createdAt: Milliseconds,
  ...origin
})
export type ImageRecord = typeof ImageRecord.Type

export const KernelRecord = Schema.Struct({ files: KernelFiles, createdAt: Milliseconds })
export type KernelRecord = typeof KernelRecord.Type

const ImageRow = Schema.Struct({ name: ImageName, generation: Schema.Int, record: Schema.parseJson(ImageRecord) })
const KernelRow = Schema.Struct({ name: KernelName, record: Schema.parseJson(KernelRecord) })

/** A record that this version cannot read: left as it is, and what it names is kept. */
export interface Unreadable {
  readonly kind: "image" | "kernel"
  readonly name: string
  readonly problem: string
  readonly digests: ReadonlyArray<Digest>
}

const unwritable = (error: { readonly message: string }) => new StateUnwritable({ problem: error.message })

type Column = { readonly [name: string]: unknown }

/** The rows that can be read, and the others. */
const sorted = <A, I>(kind: Unreadable["kind"], record: Schema.Schema<A, I>, rows: ReadonlyArray<Column>) =>
  Array.partitionMap(rows, (row): Either.Either<A, Unreadable> =>
    Either.mapLeft(Schema.decodeUnknownEither(record)(row["record"]), (error) => ({
      kind, name: String(row["name"]), problem: problemOf(error), digests: digestsIn(String(row["record"]))
    })))

/** The records of images, by generation, and of kernels. One that cannot be read hides no other. */
export class CatalogStore extends Context.Tag("@banger/daemon/CatalogStore")<CatalogStore, {
  readonly images: Effect.Effect<ReadonlyArray<ImageRecord>, StateUnwritable>
  /** The highest generation of that name that has a record, 0 where there is none. */
  readonly newest: (name: ImageName) => Effect.Effect<number, StateUnwritable>
  readonly addImage: (image: ImageRecord) => Effect.Effect<void, StateUnwritable>
  readonly removeImage: (name: ImageName, generation: number) => Effect.Effect<void, StateUnwritable>
  /** Every generation of it, also those that cannot be read. */
  readonly removeImages: (name: ImageName) => Effect.Effect<void, StateUnwritable>
  readonly kernels: Effect.Effect<ReadonlyArray<KernelRecord>, StateUnwritable>
  /** Replaces a kernel of that name. */
  readonly putKernel: (kernel: KernelRecord) => Effect.Effect<void, StateUnwritable>
  readonly removeKernel: (name: KernelName) => Effect.Effect<void, StateUnwritable>
  readonly unreadable: Effect.Effect<ReadonlyArray<Unreadable>, StateUnwritable>
}>() {
  static readonly layer = Layer.effect(CatalogStore, Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const images = Effect.map(sql<Column>`SELECT * FROM images ORDER BY name, generation`, (rows) => sorted("image", ImageRow.fields.record, rows)).pipe(Effect.mapError(unwritable))
    const kernels = Effect.map(sql<Column>`SELECT * FROM kernels ORDER BY name`, (rows) => sorted("kernel", KernelRow.fields.record, rows)).pipe(Effect.mapError(unwritable))
    const addImage = SqlSchema.void({ Request: ImageRow, execute: (row) => sql`INSERT INTO images ${sql.insert(row)}` })
    const putKernel = SqlSchema.void({ Request: KernelRow, execute: (row) => sql`INSERT OR REPLACE INTO kernels ${sql.insert(row)}` })
    return {
      images: Effect.map(images, ([, readable]) => readable),
      newest: (name) =>
        Effect.map(sql<{ readonly newest: number | null }>`SELECT max(generation) AS newest FROM images WHERE name = ${name}`, ([row]) => row?.newest ?? 0).pipe(Effect.mapError(unwritable)),
      addImage: (record) =>
        addImage({ name: record.files.name, generation: record.files.generation, record }).pipe(Effect.mapError(unwritable)),
      removeImage: (name, generation) =>
        sql`DELETE FROM images WHERE name = ${name} AND generation = ${generation}`.pipe(Effect.asVoid, Effect.mapError(unwritable)),
      removeImages: (name) => sql`DELETE FROM images WHERE name = ${name}`.pipe(Effect.asVoid, Effect.mapError(unwritable)),
      kernels: Effect.map(kernels, ([, readable]) => readable),
      putKernel: (record) => putKernel({ name: record.files.name, record }).pipe(Effect.mapError(unwritable)),
      removeKernel: (name) => sql`DELETE FROM kernels WHERE name = ${name}`.pipe(Effect.asVoid, Effect.mapError(unwritable)),
      unreadable: Effect.zipWith(images, kernels, ([ofImages], [ofKernels]) => [...ofImages, ...ofKernels])
    }
  }))
}
