import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Decode from "../command-line/values.ts"
import { KernelNotFound } from "@banger/domain/errors.ts"
import type { KernelName } from "@banger/domain/ids.ts"
import { Daemon } from "../daemon/daemon.ts"
import { Misuse } from "../command-line/misuse.ts"

/** Asked before gigabytes are copied for it. */
export const kernelExists = (name: KernelName | undefined) =>
  Effect.gen(function*() {
    if (name === undefined) return
    const daemon = yield* Daemon
    const kernels = yield* daemon.kernel.List()
    if (!kernels.some(({ files }) => files.name === name)) return yield* new KernelNotFound({ name })
  })

/** The argument that names an image or a kernel. */
export const named = <A extends string>(schema: Schema.Schema<A, string>, args: ReadonlyArray<string>) =>
  Effect.try({
    try: () => Decode.as(schema)(args[0] ?? ""),
    catch: (error) => new Misuse(`${JSON.stringify(args[0])}: ${(error as Error).message}`, "give a name that banger image list or banger kernel list shows")
  })

/** What a command cannot do without; `example` shows how it is given. */
export const needed = <A>(flag: string, value: A | undefined, example: string): Effect.Effect<A, Misuse> =>
  value === undefined ? Effect.fail(new Misuse(`${flag} is missing`, example)) : Effect.succeed(value)
