/** TOML files that a schema describes: what is wrong with one, and where; which keys there are. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as Toml from "smol-toml"
import { nearest } from "./nearest.ts"

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

/** The line, from 1, on which a key or a table is written; of what is within a value, that of the value. */
const lineOf = (text: string, path: Path): number | undefined => {
  let table: ReadonlyArray<string> = []
  const lines = new Map<string, number>()
  const arrays = new Map<string, number>()
  // Within a text of several lines nothing is a key.
  let quotes: string | undefined
  for (const [at, line] of text.split("\n").entries()) {
    const within = quotes !== undefined
    for (const [mark] of line.matchAll(/"""|'''/g)) quotes = quotes === undefined ? mark : quotes === mark ? undefined : quotes
    if (within) continue
    const [, array, header] = /^\s*\[(\[?)\s*([^[\]]+?)\s*\]/.exec(line) ?? []
    const name = header === undefined ? /^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=/.exec(line)?.[1] : undefined
    if (header !== undefined) {
      table = partsOf(header)
      if (array !== "") {
        const count = arrays.get(header) ?? 0
        arrays.set(header, count + 1)
        table = [...table, String(count)]
      }
    }
    const full = name === undefined ? table : [...table, ...partsOf(name)]
    // A dotted name makes the tables before its last part, too.
    if (header !== undefined || name !== undefined) for (let length = 1; length <= full.length; length++) {
      const prefix = JSON.stringify(full.slice(0, length))
      if (!lines.has(prefix)) lines.set(prefix, at + 1)
    }
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

/** The values of a file that decodes, by their keys' names; undefined: the file has none. */
export const valuesOf = (text: string): (name: string) => unknown => {
  const parsed = Toml.parse(text)
  return (name) => name.split(".").reduce<unknown>((table, part) => typeof table === "object" && table !== null ? (table as Readonly<Record<string, unknown>>)[part] : undefined, parsed)
}
