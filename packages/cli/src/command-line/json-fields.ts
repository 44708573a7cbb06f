import * as JSONSchema from "effect/JSONSchema"
import type { Json } from "./json.ts"

/** The parts of a JSON schema that are read here. Those of our own schemas have no others. */
interface Node {
  readonly type?: string
  readonly description?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly properties?: Readonly<Record<string, Node>>
  readonly items?: Node
  readonly anyOf?: ReadonlyArray<Node>
  readonly $ref?: string
}

/** A field of what is printed, with those in it. */
export interface Field {
  readonly name: string
  /** As JSON has it, of one element where the field is an array: `string`, `object`; of a fixed set of words, the words. */
  readonly type: string
  readonly nullable: boolean
  readonly array: boolean
  readonly about: string
  readonly fields: ReadonlyArray<Field>
}

/** One kind of event by its `_tag`, or without one all that is printed. */
export interface Shape {
  readonly tag: string | undefined
  /** The type of a value without fields: `string`. */
  readonly type: string
  readonly fields: ReadonlyArray<Field>
}

/** Descriptions that the library adds by itself, of an integer and of a text with a pattern. */
const SAYS_NOTHING = /^(an integer|a string matching .*)$/

const words = ({ enum: values = [] }: Node): string => values.map(String).join(", ")

/** By the declarations of `--json`: what a value of that schema looks like. */
export const shapesOf = ({ schema }: Json): ReadonlyArray<Shape> => {
  const { $defs = {}, ...root } = JSONSchema.make(schema as Parameters<typeof JSONSchema.make>[0]) as Node & { readonly $defs?: Readonly<Record<string, Node>> }
  const resolved = (node: Node): Node => node.$ref === undefined ? node : resolved({ ...$defs[node.$ref.replace("#/$defs/", "")], ...(node.description !== undefined && { description: node.description }) })
  const fieldsOf = (node: Node): ReadonlyArray<Field> => {
    const { anyOf, properties = {} } = resolved(node)
    // Of several kinds in a place each has a `_tag`: the fields of all of them, each once.
    const all = anyOf === undefined ? Object.entries(properties) : [...new Map(anyOf.flatMap((each) => Object.entries(resolved(each).properties ?? {}))).entries()]
    const tags = anyOf?.flatMap((each) => resolved(each).properties?.["_tag"]?.enum ?? [])
    return all.map(([name, each]) => fieldOf(name, name === "_tag" && tags !== undefined ? { type: "string", enum: tags } : each))
  }
  const fieldOf = (name: string, node: Node): Field => {
    const own = resolved(node)
    const others = own.anyOf?.filter((each) => each.type !== "null") ?? []
    const nullable = own.anyOf !== undefined && others.length < own.anyOf.length
    const value = nullable && others.length === 1 && others[0] !== undefined ? resolved(others[0]) : own
    const inner = value.items === undefined ? value : resolved(value.items)
    const about = own.description ?? value.description ?? inner.description ?? ""
    return {
      name, nullable, array: value.items !== undefined,
      type: inner.enum !== undefined ? words(inner) : inner.type ?? "object",
      about: SAYS_NOTHING.test(about) ? "" : about,
      fields: fieldsOf(inner)
    }
  }
  const shape = (node: Node): Shape => {
    const { enum: [tag] = [] } = resolved(node).properties?.["_tag"] ?? {}
    return { tag: typeof tag === "string" ? tag : undefined, type: resolved(node).type ?? "object", fields: fieldsOf(node).filter(({ name }) => tag === undefined || name !== "_tag") }
  }
  return (resolved(root).anyOf ?? [root]).map(shape)
}
