import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { Decode } from "./flags.ts"

/** By a schema of the domain, with the schema's own words when the text does not fit. */
export const as = <A, I extends string>(schema: Schema.Schema<A, I>): Decode<A> => (text) => fit(schema, text as I)

/** A number for a schema of the domain. */
export const number = <A extends number>(schema: Schema.Schema<A, number>): Decode<A> => (text) => {
  if (!/^\d{1,12}$/.test(text)) throw new Error(`expected a number, not ${JSON.stringify(text)}`)
  return fit(schema, Number(text))
}

const fit = <A, I>(schema: Schema.Schema<A, I>, input: I): A => {
  const decoded = Schema.decodeEither(schema)(input)
  if (Either.isRight(decoded)) return decoded.right
  throw new Error(ParseResult.ArrayFormatter.formatErrorSync(decoded.left)[0]?.message ?? "not valid")
}

export const text: Decode<string> = (given) => {
  if (given === "") throw new Error("expected some text")
  return given
}

export const count: Decode<number> = number(Schema.Number)

const MIB_PER: Readonly<Record<string, number>> = { M: 1, G: 1024, T: 1024 * 1024 }

/** `512M`, `16G`, `1T`: whole MiB. */
export const mib = <A extends number>(schema: Schema.Schema<A, number>): Decode<A> => (given) => {
  const match = /^(\d{1,9})([MGT])(iB|B)?$/i.exec(given)
  if (match === null) throw new Error(`expected a size such as 512M or 16G, not ${JSON.stringify(given)}`)
  return fit(schema, Number(match[1]) * (MIB_PER[String(match[2]).toUpperCase()] as number))
}

const MS_PER: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds; at most what a timer can wait. */
export const duration: Decode<number> = (given) => {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(given)
  const ms = match === null ? 0 : Number(match[1]) * (MS_PER[String(match[2])] as number)
  if (ms > 0 && ms <= 2 ** 31 - 1) return ms
  throw new Error(`expected a time such as 30s or 10m, not ${JSON.stringify(given)}`)
}

/** `KEY=VAL`, or `KEY` for the caller's own value. */
export const variable: Decode<readonly [string, string]> = (given) => {
  const at = given.indexOf("=")
  const key = at === -1 ? given : given.slice(0, at)
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) throw new Error(`expected KEY=VAL, not ${JSON.stringify(given)}`)
  if (at !== -1) return [key, given.slice(at + 1)]
  const inherited = process.env[key]
  if (inherited === undefined) throw new Error(`${key} has no value here: give ${key}=VAL`)
  return [key, inherited]
}
