import { execFile } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { UserConfig } from "@banger/domain/config.ts"
import type { ImageName } from "@banger/domain/ids.ts"
import type { ImageReference } from "@banger/domain/recipe.ts"
import { Logins, orElse, proxyIn, proxyOf, proxyVariables, type Session } from "@banger/domain/session.ts"
import { program } from "../host/paths.ts"
import { Daemon } from "./daemon.ts"

const Known = Schema.parseJson(Schema.Struct({ logins: Logins }))

/** What this user's files and helpers know of an image's registries; helpers run here, where his PATH, keyring and agents are. */
const loginsOf = (reference: typeof ImageReference.Type, mirrors: Readonly<Record<string, string>>) =>
  Effect.async<string>((resume) => {
    const flags = Object.entries(mirrors).flatMap(([registry, host]) => ["--mirror", `${registry}=${host}`])
    const child = execFile(program("banger-oci"), ["credentials", ...flags, reference], (error, stdout) => resume(Effect.succeed(error === null ? stdout : `{"logins":{}}`)))
    return Effect.sync(() => void child.kill("SIGKILL"))
  }).pipe(
    Effect.flatMap(Schema.decode(Known)),
    Effect.map(({ logins }) => logins),
    // A registry that asks for a login will say so.
    Effect.orElseSucceed((): Logins => ({}))
  )

/** What is fetched here goes through the proxy of this environment or of the configuration; the programs that banger starts have it in theirs. */
export const heedProxy = (config: UserConfig) =>
  Effect.sync(() => {
    const proxy = orElse(proxyOf(process.env), proxyIn(config))
    Object.assign(process.env, proxyVariables(proxy))
    return proxy
  })

/** What goes with a request that fetches nothing from a registry. */
export const proxied = Effect.sync((): Session => ({ proxy: proxyOf(process.env), logins: {} }))

/** What goes with a request for an image, by its reference or its name in the catalogs. */
export const callerOf = (image: { readonly name: ImageName } | { readonly reference: typeof ImageReference.Type }) =>
  Effect.gen(function*() {
    const daemon = yield* Daemon
    const session = yield* proxied
    const { mirrors, reference } = yield* daemon.image.Origin({ ...image, session })
    return reference === null ? session : { ...session, logins: yield* loginsOf(reference, mirrors) }
  })
