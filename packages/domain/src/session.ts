import * as Schema from "effect/Schema"
import type { UserConfig } from "./config.ts"

/** Where requests go through, as the variables of the same names say; empty where they do not. */
export const Proxy = Schema.Struct({
  http: Schema.optional(Schema.String),
  https: Schema.optional(Schema.String),
  noProxy: Schema.optional(Schema.String)
})
export type Proxy = typeof Proxy.Type

const secret = Schema.optional(Schema.Redacted(Schema.String))

/** What somebody knows of a registry: credentials, or why a helper gave none (native/internal/oci/credentials.go). */
export const Login = Schema.Struct({
  username: secret,
  password: secret,
  identityToken: secret,
  registryToken: secret,
  failed: Schema.optional(Schema.String)
})

/** By registry; of one that is not in it nothing is known. */
export const Logins = Schema.Record({ key: Schema.String, value: Login })
export type Logins = typeof Logins.Type

/**
 * What the daemon's fetching takes from the session of whoever asks, since it has none: a keyring, a helper in the user's PATH, a
 * proxy. It is used for that request, and neither kept nor logged.
 */
export const Session = Schema.Struct({ proxy: Proxy, logins: Logins })
export type Session = typeof Session.Type

type Variables = Readonly<Record<string, string | undefined>>

/** As curl reads an environment: small letters first, ALL_PROXY for what has none of its own. */
export const proxyOf = (environment: Variables): Proxy => {
  const value = (name: string) => environment[name] || environment[name.toUpperCase()] || undefined
  const all = value("all_proxy")
  return { http: value("http_proxy") ?? all, https: value("https_proxy") ?? all, noProxy: value("no_proxy") }
}

/** The same as an environment, for programs that look for either form. */
export const proxyVariables = ({ http, https, noProxy }: Proxy): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [["http_proxy", http], ["https_proxy", https], ["no_proxy", noProxy]].flatMap(([name, value]) =>
      name === undefined || value === undefined ? [] : [[name, value], [name.toUpperCase(), value]])
  )

/** The proxy of a configuration. */
export const proxyIn = ({ proxy }: UserConfig): Proxy => ({ http: proxy?.http, https: proxy?.https, noProxy: proxy?.no_proxy })

/** A caller's proxy, or, where there is none, that of the configuration. */
export const orElse = (given: Proxy | undefined, otherwise: Proxy): Proxy =>
  given?.http === undefined && given?.https === undefined ? otherwise : given
