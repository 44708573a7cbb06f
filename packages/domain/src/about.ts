import type * as Schema from "effect/Schema"

/** The same schema with its meaning or unit, which docs/json.md is made of. */
export const about = (description: string) => <S extends Schema.Annotable.All>(schema: S) => schema.annotations({ description }) as Schema.Annotable.Self<S>
