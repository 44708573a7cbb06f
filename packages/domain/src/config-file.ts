/** TOML files that a schema describes: what is wrong with one, and where; which keys there are. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as Toml from "smol-toml"
import { nearest } from "./nearest.ts"

/** Root's file. The owner's is ~/.config/banger/config.toml. */
export const HOST_CONFIG = "/etc/banger/host.toml"

/** All that is wrong with a configuration file, in one line. */
export class BadConfig extends Schema.TaggedError<BadConfig>()("BadConfig", { path: Schema.String, problem: Schema.String }) {
  override get message() {
    return `${this.path}: ${this.problem}`
  }
  get hint() {
    return `correct the keys, or remove them: all are optional${this.path === HOST_CONFIG ? ", and what is not the host's belongs into ~/.config/banger/config.toml" : ""} (docs/config.md)`
  }
}

/** A key as a message or a table has it, with the words that its schema has for it. */
export interface Key {
  /** `vm_defaults.vcpu` */
  readonly name: string
  readonly about: string
  /** The value that counts where the file has none; undefined: none, or one that `otherwise` tells of. */
  readonly fallback: unknown
  /** The value where the file has none, in words, when it depends on the host. */
  readonly otherwise: string | undefined
}

/** Where a schema has its key's words: a description would be told in errors. */
const KEY = Symbol.for("@banger/domain/config-file/Key")

/** A key's meaning, and the value where a file has none: `fallback`, or by the host, in words. */
export const key = (about: string, otherwise: { readonly fallback?: unknown; readonly words?: string } = {}) => <S extends Schema.Annotable.All>(schema: S) =>
  schema.annotations({ [KEY]: { about, fallback: otherwise.fallback, otherwise: otherwise.words } }) as Schema.Annotable.Self<S>

/** Absent or right: `undefined` is no value of TOML, and its mention would make messages longer. */
export const optional = <S extends Schema.Schema.All>(schema: S) => Schema.optionalWith(schema, { exact: true })

/** `16G`, `512M`: a size in MiB. */
export const Size = Schema.transformOrFail(Schema.String, Schema.Int, {
  strict: true,
  decode: (text, _, ast) => {
    const match = /^(\d{1,7})([MGT])(?:i?B)?$/.exec(text)
    if (match === null) return ParseResult.fail(new ParseResult.Type(ast, text, `expected a size such as 512M, 16G or 1T, got ${text}`))
    return ParseResult.succeed(Number(match[1]) * { M: 1, G: 1024, T: 1024 * 1024 }[match[2] as "M" | "G" | "T"])
  },
  encode: (mib) => ParseResult.succeed(mib % 1024 !== 0 ? `${mib}M` : mib % 1024 ** 2 !== 0 ? `${mib / 1024}G` : `${mib / 1024 ** 2}T`)
})

type Properties = ReadonlyArray<SchemaAST.PropertySignature>

/** Of a table with a fixed set of keys; undefined of any other value. */
const propertiesOf = (ast: SchemaAST.AST): Properties | undefined =>
  SchemaAST.isTransformation(ast) ? propertiesOf(ast.from) : SchemaAST.isTypeLiteral(ast) && ast.indexSignatures.length === 0 ? ast.propertySignatures : undefined

const NO_WORDS: Omit<Key, "name"> = { about: "", fallback: undefined, otherwise: undefined }

/** All keys, in the order of the schema. */
export const keysOf = ({ ast }: Schema.Schema.All): ReadonlyArray<Key> => {
  const below = (properties: Properties, prefix: string): ReadonlyArray<Key> =>
    properties.flatMap(({ name, type }) => {
      const inner = propertiesOf(type)
      return inner !== undefined
        ? below(inner, `${prefix}${String(name)}.`)
        : [{ name: `${prefix}${String(name)}`, ...Option.getOrElse(SchemaAST.getAnnotation<Omit<Key, "name">>(type, KEY), () => NO_WORDS) }]
    })
  return below(propertiesOf(ast) ?? [], "")
}

type Path = ReadonlyArray<PropertyKey>

/** The schema of what a path leads to. */
const at = (ast: SchemaAST.AST, [first, ...rest]: Path): SchemaAST.AST | undefined => {
  if (first === undefined) return ast
  const next = propertiesOf(ast)?.find(({ name }) => name === first)?.type ??
    (SchemaAST.isTypeLiteral(ast) ? ast.indexSignatures[0]?.type : SchemaAST.isTupleType(ast) ? ast.rest[0]?.type : undefined)
  return next && at(next, rest)
}

/** Why a table has no such key: of one with names of the user's own, in the words of their schema. */
const unknownKey = (ast: SchemaAST.AST, path: Path): string => {
  const table = at(ast, path.slice(0, -1))
  const names = table !== undefined && SchemaAST.isTypeLiteral(table) ? table.indexSignatures[0]?.parameter : undefined
  const words = names && Option.getOrUndefined(SchemaAST.getMessageAnnotation(names))
  if (words !== undefined) return String(words({} as ParseResult.ParseIssue))
  const known = table === undefined ? [] : (propertiesOf(table) ?? []).map(({ name }) => String(name))
  const likely = nearest(String(path.at(-1)), known)
  return `there is no such key${likely.length === 0 ? "" : `; did you mean ${likely.join(" or ")}?`}`
}

/** The parts of a dotted name, bare or quoted. */
const partsOf = (name: string): ReadonlyArray<string> =>
  [...name.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+)/g)].map(([, double, single, bare]) => double ?? single ?? bare ?? "")

/** A line of a file that names a key, or begins a table. */
export interface Written {
  /** From 0. */
  readonly line: number
  readonly header: boolean
  /** The table that it stands in, and what it names there: of a header, the table that it begins. */
  readonly table: ReadonlyArray<string>
  readonly path: ReadonlyArray<string>
}

const HEADER = /^\s*\[(\[?)\s*([^[\]]+?)\s*\]/
const NAME = /^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=/

/** What each line of a file names. */
export const written = (text: string): ReadonlyArray<Written> => {
  let table: ReadonlyArray<string> = []
  const arrays = new Map<string, number>()
  // Within a text of several lines nothing is a key.
  let quotes: string | undefined
  return text.split("\n").flatMap((line, at): ReadonlyArray<Written> => {
    const within = quotes !== undefined
    for (const [mark] of line.matchAll(/"""|'''/g)) quotes = quotes === undefined ? mark : quotes === mark ? undefined : quotes
    if (within) return []
    const [, array, header] = HEADER.exec(line) ?? []
    if (header !== undefined) {
      table = partsOf(header)
      if (array !== "") {
        const count = arrays.get(header) ?? 0
        arrays.set(header, count + 1)
        table = [...table, String(count)]
      }
      return [{ line: at, header: true, table: [], path: table }]
    }
    const name = NAME.exec(line)?.[1]
    return name === undefined ? [] : [{ line: at, header: false, table, path: [...table, ...partsOf(name)] }]
  })
}

/** The line, from 1, on which a key or a table is written; of what is within a value, that of the value. */
const lineOf = (text: string, path: Path): number | undefined => {
  const lines = new Map<string, number>()
  // A dotted name makes the tables before its last part, too.
  for (const { line, path } of written(text)) for (let length = 1; length <= path.length; length++) {
    const prefix = JSON.stringify(path.slice(0, length))
    if (!lines.has(prefix)) lines.set(prefix, line + 1)
  }
  const names = path.map(String)
  for (let length = names.length; length > 0; length--) {
    const line = lines.get(JSON.stringify(names.slice(0, length)))
    if (line !== undefined) return line
  }
  return undefined
}

/** All that is wrong with a file's text, in the order of its lines: `line 3: vm_defaults.vcpus: there is no such key; did you mean vcpu?` */
const problemsOf = (schema: Schema.Schema.All, text: string, error: ParseResult.ParseError): string =>
  ParseResult.ArrayFormatter.formatErrorSync(error).map(({ _tag, message, path }) => {
    const said = _tag === "Unexpected" ? unknownKey(schema.ast, path) : message
    const line = lineOf(text, path) ?? 0
    return { line, words: `${line === 0 ? "" : `line ${line}: `}${path.map(String).join(".")}: ${said}` }
  }).toSorted((one, other) => one.line - other.line).map(({ words }) => words).join("; ")

/** Reads a file's text. An unknown key is an error. Fails with all that is wrong, in one line. */
export const decodeToml = <A, I>(schema: Schema.Schema<A, I>, text: string): Effect.Effect<A, string> =>
  Effect.try({
    try: () => Toml.parse(text),
    catch: (error) => error instanceof Toml.TomlError ? `line ${error.line}: ${error.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "")}` : String(error)
  }).pipe(
    Effect.flatMap((parsed) =>
      Effect.mapError(Schema.decodeUnknown(schema, { errors: "all", onExcessProperty: "error" })(parsed), (error) => problemsOf(schema, text, error)))
  )

/** A key's value in what a file has; undefined: it has none. */
export const valueAt = (file: unknown, name: string): unknown =>
  name.split(".").reduce<unknown>((table, part) => typeof table === "object" && table !== null ? (table as Readonly<Record<string, unknown>>)[part] : undefined, file)

/** The values of a file that decodes, by their keys' names; undefined: the file has none. */
export const valuesOf = (text: string): (name: string) => unknown => {
  const parsed = Toml.parse(text)
  return (name) => valueAt(parsed, name)
}
