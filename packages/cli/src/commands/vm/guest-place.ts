import * as Args from "@effect/cli/Args"
import * as Effect from "effect/Effect"
import { offering, vms } from "../../command-line/candidates.ts"
import { Misuse } from "../../command-line/misuse.ts"
import type { GuestPlace } from "../../way-back/in-guest.ts"
import { placeOf } from "./copy-place.ts"
import { running } from "./vm-ref.ts"

/** The argument that names a VM's repository: `NAME`, or `NAME:DIR` where it has several. */
export const repositoryOf = Args.text({ name: "NAME[:DIR]" }).pipe(offering(vms(["running"])))

/** The VM, which must run, and the directory. */
export const openPlace = (given: string) =>
  Effect.gen(function*() {
    const place = yield* placeOf(given.includes(":") ? given : `${given}:`)
    if (place._tag !== "InGuest") return yield* Effect.fail(new Misuse(`${JSON.stringify(given)} names no VM`, "NAME, or NAME:DIR"))
    const vm = yield* running(place.vm)
    return { vm, directory: /:./s.test(given) ? place.path : undefined } satisfies GuestPlace
  })
