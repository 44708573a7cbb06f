import { availableParallelism, totalmem } from "node:os"
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { about } from "@banger/domain/about.ts"
import { HOST_CONFIG, type Key, keysOf, valuesOf } from "@banger/domain/config-file.ts"
import { decodeConfig, hostDefaults, OwnConfig } from "@banger/domain/config.ts"
import { decodeHostConfig, differences, HostConfig } from "@banger/domain/host-config.ts"
import { orElse, proxyOf } from "@banger/domain/session.ts"
import { command } from "../../command-line/command.ts"
import { array } from "../../command-line/json.ts"
import { json } from "../../command-line/options.ts"
import { typed } from "../../failure/failure.ts"
import { foundFirecracker } from "../../host/paths.ts"
import { page } from "../../output/pager.ts"
import { table } from "../../output/table.ts"
import { printJson, say } from "../../output/text.ts"
import { configText, userConfigPath } from "../../run/user-config.ts"

const Setting = Schema.Struct({
  key: Schema.String.pipe(about("as docs/config.md has it")),
  value: Schema.NullOr(Schema.String.pipe(about("as JSON; null: it has none"))),
  from: Schema.Literal("default", "host", "file", "environment").pipe(about("host: by what it is and has")),
  source: Schema.NullOr(Schema.String.pipe(about("the file's path, or the variable's name"))),
  wish: Schema.NullOr(Schema.String.pipe(about("of a host key: what ~/.config/banger/config.toml has for it that does not count; as JSON")))
})
type Setting = typeof Setting.Type
const SETTINGS = array("setting", Setting)

/** Without a wish, which a key of the owner's alone cannot have. */
type Counts = Omit<Setting, "wish">

/** The part of a proxy that each key names, and the variables for the same part: the first that has a value counts. */
const PROXY = {
  "proxy.http": { of: "http", variables: ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] },
  "proxy.https": { of: "https", variables: ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] },
  "proxy.no_proxy": { of: "noProxy", variables: ["no_proxy", "NO_PROXY"] }
} as const

const isProxy = (name: string): name is keyof typeof PROXY => name in PROXY

/** Of a caller whose environment names a proxy all keys are the environment's, those that it does not name among them. */
const ofEnvironment = (name: string): Counts | undefined => {
  const given = proxyOf(process.env)
  if (!isProxy(name) || orElse(given, {}) !== given) return undefined
  const { of, variables } = PROXY[name]
  return { key: name, value: given[of] === undefined ? null : JSON.stringify(given[of]), from: "environment", source: variables.find((each) => (process.env[each] ?? "") !== "") ?? null }
}

/** Values that follow from the host. */
const derived = (): Readonly<Record<string, number | string>> => {
  const { memoryMib, vcpu } = hostDefaults(availableParallelism(), totalmem())
  return { "vm_defaults.vcpu": vcpu, "vm_defaults.memory_mib": memoryMib, firecracker_bin: foundFirecracker() }
}

/** A key's value and its origin: the environment goes before the file, the file before the host and the defaults. */
const settingOf = (path: string, values: (name: string) => unknown, ofHost: Readonly<Record<string, number | string>>) => ({ fallback, name }: Key): Counts => {
  const given = ofEnvironment(name)
  if (given !== undefined) return given
  const written = values(name)
  if (written !== undefined) return { key: name, value: JSON.stringify(written), from: "file", source: path }
  const own = ofHost[name]
  if (own !== undefined) return { key: name, value: JSON.stringify(own), from: "host", source: null }
  return { key: name, value: fallback === undefined ? null : JSON.stringify(fallback), from: "default", source: null }
}

export default command({
  path: "config show",
  about: `Shows every key of the configuration with the value that counts, and where that comes from: a default, this host, a file, or the
environment. Flags of a command go before all of them. What ~/.config/banger/config.toml has of the host's keys is a wish until
sudo banger system apply has written it into root's file. docs/config.md explains the keys.`,
  args: Args.none,
  flags: Options.all({ json }),
  json: SETTINGS,
  examples: ["banger config show", "banger config show --json | jq -r '.[] | select(.from == \"file\") | .key'"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const [user, host] = yield* Effect.all([configText(userConfigPath()), configText(HOST_CONFIG)])
      const [wish, trusted] = yield* Effect.all([decodeConfig(userConfigPath(), user), decodeHostConfig(host)])
      const wishes = new Map(differences(trusted, wish).map(({ key, to }) => [key, JSON.stringify(to)]))
      const ofHost = derived()
      const settings = [
        ...keysOf(OwnConfig).map(settingOf(userConfigPath(), valuesOf(user), ofHost)),
        ...keysOf(HostConfig).map(settingOf(HOST_CONFIG, valuesOf(host), ofHost))
      ].map((setting): Setting => ({ ...setting, wish: wishes.get(setting.key) ?? null }))
      if (flags.json) yield* printJson(SETTINGS, settings)
      else {
        const wished = wishes.size > 0
        yield* page(table({
          heading: ["KEY", "VALUE", "FROM", ...(wished ? ["WISH"] : [])],
          rows: settings.map(({ from, key, source, value, wish }) => [key, value ?? "-", source ?? from, ...(wished ? [wish ?? ""] : [])]),
          cut: ["VALUE", "FROM"]
        }))
        if (wished) yield* say(typed("a wish counts once it is applied: sudo banger system apply"))
      }
      return 0
    })
})
