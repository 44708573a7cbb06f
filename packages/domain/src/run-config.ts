import * as Schema from "effect/Schema"
import { about } from "./about.ts"

/** Absent in the records of earlier versions. */
export const orNull = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(Schema.NullOr(schema), { default: () => null })

/** How the image's maker wants it to be run. Text of a stranger: nothing of it is run on the host. */
export const RunConfig = Schema.Struct({
  env: Schema.Array(Schema.String).pipe(about("NAME=VALUE")),
  entrypoint: Schema.Array(Schema.String),
  cmd: Schema.Array(Schema.String),
  workdir: Schema.String.pipe(about("empty: none")),
  user: Schema.String.pipe(about("empty: root"))
})
export type RunConfig = typeof RunConfig.Type

/** Characters of all variables: an image that has more is odd, and they travel in one frame. */
const MAX_ENVIRONMENT = 128 << 10

/** The image's variables for a command in its guest; what is none, or would be too much, is left out. */
export const environmentOf = (run: RunConfig | null): Readonly<Record<string, string>> => {
  const variables = (run?.env ?? []).flatMap((text) => {
    const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=([^\0]*)$/s.exec(text) ?? []
    return name === undefined || value === undefined ? [] : [[name, value] as const]
  })
  return variables.reduce((total, [name, value]) => total + name.length + value.length, 0) > MAX_ENVIRONMENT ? {} : Object.fromEntries(variables)
}
