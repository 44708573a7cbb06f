import * as Schema from "effect/Schema"

/** A value that `--json` prints: one, an array of them, or one a line as each happens. */
export interface Json<A = never> {
  /** What docs/json.md calls one of them. */
  readonly name: string
  readonly schema: Schema.Schema.All
  readonly how: "one" | "array" | "lines"
  /** The flag that it is printed with, where a command prints several things. */
  readonly flag: string | undefined
  readonly encode: (value: A) => unknown
}

/** One value. */
export const one = <A, I>(name: string, schema: Schema.Schema<A, I>, flag?: string): Json<A> =>
  ({ name, schema, how: "one", flag, encode: Schema.encodeSync(schema) })

export const array = <A, I>(name: string, schema: Schema.Schema<A, I>, flag?: string): Json<ReadonlyArray<A>> =>
  ({ name, schema, how: "array", flag, encode: Schema.encodeSync(Schema.Array(schema)) })

/** Events: the last one tells what came of it. */
export const lines = <A, I>(name: string, schema: Schema.Schema<A, I>): Json<A> =>
  ({ name, schema, how: "lines", flag: undefined, encode: Schema.encodeSync(schema) })

/** As it is printed: a value by itself is laid out for readers, one of many is one line. */
export const text = <A>({ encode, how }: Json<A>, value: A): string => `${JSON.stringify(encode(value), undefined, how === "lines" ? undefined : 2)}\n`
