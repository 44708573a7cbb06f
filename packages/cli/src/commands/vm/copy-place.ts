import * as Effect from "effect/Effect"
import { VmRef } from "@banger/domain/ids.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { decoder } from "../../command-line/values.ts"

export interface InGuest {
  readonly _tag: "InGuest"
  readonly vm: VmRef
  /** Absolute; a slash at its end stays. */
  readonly path: string
}

/** A side of a copy. */
export type Place =
  | InGuest
  | { readonly _tag: "OnHost"; readonly path: string }
  /** An archive that is standard input or output. */
  | { readonly _tag: "Stream" }

/** Where a path of a guest begins that does not begin with a slash. */
const HOME = "/root"

const vmRef = decoder(VmRef)

/** `NAME:PATH` is in a VM, where no slash stands before the colon: `./a:b` is a file of this host. */
export const placeOf = (given: string): Effect.Effect<Place, Misuse> => {
  if (given === "-") return Effect.succeed({ _tag: "Stream" })
  const [, name, path = ""] = /^([^/:]*):(.*)$/s.exec(given) ?? []
  if (name === undefined) return given === "" ? Effect.fail(new Misuse("a path is empty", "banger vm cp --help")) : Effect.succeed({ _tag: "OnHost", path: given })
  return Effect.mapBoth(vmRef(name), {
    onFailure: (words) => new Misuse(`${JSON.stringify(given)}: ${words}`, `NAME:PATH is a path in a VM; a file of that name is ./${given}`),
    onSuccess: (vm) => ({ _tag: "InGuest", vm, path: path.startsWith("/") ? path : `${HOME}/${path}` }) as const
  })
}
