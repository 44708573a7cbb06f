import { existsSync } from "node:fs"
import { release } from "node:os"
import { type Mend, mend } from "@banger/domain/readiness.ts"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { run } from "./exec.ts"

/** A part of the kernel: in it, a module that nobody has loaded, or not to be had. */
export const Feature = Schema.Literal("there", "loadable", "absent")
export type Feature = typeof Feature.Type

/** What is not there yet, by the module that brings it. Where the modules cannot be looked at, as in a service's sandbox, it may be one. */
export const feature = (present: boolean, module: string): Effect.Effect<Feature> =>
  present
    ? Effect.succeed("there")
    : !existsSync(`/lib/modules/${release()}/modules.dep`)
    ? Effect.succeed("loadable")
    : run(["modprobe", "--dry-run", "--quiet", module]).pipe(Effect.match({ onSuccess: () => "loadable" as const, onFailure: () => "absent" as const }))

/** What mends the lack of it. */
export const lacking = (found: Exclude<Feature, "there">, module: string): Mend | string =>
  found === "loadable"
    ? mend(`sudo modprobe ${module}`)
    : `boot a kernel that has the module ${module}; distributions that make small kernels for clouds have it in a package apart (Ubuntu: linux-modules-extra-$(uname -r); Debian: linux-image-amd64)`
