import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/** By a schema of the domain; fails with the schema's own words when the text does not fit. */
export const decoder = <A, I extends string>(schema: Schema.Schema<A, I>): (given: string) => Either.Either<A, string> => {
  const decode = Schema.decodeUnknownEither(schema)
  return (given) => Either.mapLeft(decode(given), (error) => ParseResult.ArrayFormatter.formatErrorSync(error)[0]?.message ?? "not valid")
}

/** A value as it is written on a command line, which nothing ever writes. `read` throws an Error that says what was expected. */
export const written = <A, I>(schema: Schema.Schema<A, I>, read: (text: string) => I): Schema.Schema<A, string> =>
  Schema.transformOrFail(Schema.String, schema, {
    strict: true,
    decode: (text, _, ast) => ParseResult.try({ try: () => read(text), catch: (error) => new ParseResult.Type(ast, text, (error as Error).message) }),
    encode: (value, _, ast) => ParseResult.fail(new ParseResult.Forbidden(ast, value, "it is only read"))
  })

export const text = Schema.NonEmptyString.annotations({ message: () => "expected some text" })

/** A number for a schema of the domain. */
export const number = <A>(schema: Schema.Schema<A, number>): Schema.Schema<A, string> =>
  written(schema, (given) => {
    if (!/^\d{1,12}$/.test(given)) throw new Error(`expected a number, not ${JSON.stringify(given)}`)
    return Number(given)
  })

export const count = number(Schema.Number)

const MIB_PER: Readonly<Record<string, number>> = { M: 1, G: 1024, T: 1024 * 1024 }

/** `512M`, `16G`, `1T`: whole MiB. */
export const mib = <A>(schema: Schema.Schema<A, number>): Schema.Schema<A, string> =>
  written(schema, (given) => {
    const match = /^(\d{1,9})([MGT])(iB|B)?$/i.exec(given)
    if (match === null) throw new Error(`expected a size such as 512M or 16G, not ${JSON.stringify(given)}`)
    return Number(match[1]) * (MIB_PER[String(match[2]).toUpperCase()] as number)
  })

const MS_PER: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds; at most what a timer can wait. */
export const milliseconds = (given: string): number => {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(given)
  const ms = match === null ? 0 : Number(match[1]) * (MS_PER[String(match[2])] as number)
  if (ms > 0 && ms <= 2 ** 31 - 1) return ms
  throw new Error(`expected a time such as 30s or 10m, not ${JSON.stringify(given)}`)
}

export const duration = written(Schema.Number, milliseconds)

/** `KEY=VAL`, or `KEY` for the caller's own value. */
export const variable = written(Schema.Tuple(Schema.String, Schema.String), (given): readonly [string, string] => {
  const at = given.indexOf("=")
  const key = at === -1 ? given : given.slice(0, at)
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) throw new Error(`expected KEY=VAL, not ${JSON.stringify(given)}`)
  if (at !== -1) return [key, given.slice(at + 1)]
  const inherited = process.env[key]
  if (inherited === undefined) throw new Error(`${key} has no value here: give ${key}=VAL`)
  return [key, inherited]
})
