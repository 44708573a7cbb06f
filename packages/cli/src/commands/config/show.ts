import { availableParallelism, totalmem } from "node:os"
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { about } from "@banger/domain/about.ts"
import { decodeToml, type Key, keysOf, valuesOf } from "@banger/domain/config-file.ts"
import { BadConfig, decodeConfig, HOST_CONFIG, HostConfig, hostDefaults, UserConfig } from "@banger/domain/config.ts"
import { orElse, proxyOf } from "@banger/domain/session.ts"
import { command } from "../../command-line/command.ts"
import { array } from "../../command-line/json.ts"
import { json } from "../../command-line/options.ts"
import { page } from "../../output/pager.ts"
import { table } from "../../output/table.ts"
import { printJson } from "../../output/text.ts"
import { configText, userConfigPath } from "../../run/user-config.ts"

const Setting = Schema.Struct({
  key: Schema.String.pipe(about("as docs/config.md has it")),
  value: Schema.NullOr(Schema.String.pipe(about("as JSON; null: it has none"))),
  from: Schema.Literal("default", "host", "file", "environment").pipe(about("host: by its processors and memory")),
  source: Schema.NullOr(Schema.String.pipe(about("the file's path, or the variable's name")))
})
type Setting = typeof Setting.Type
const SETTINGS = array("setting", Setting)

/** The part of a proxy that each key names, and the variables for the same part: the first that has a value counts. */
const PROXY = {
  "proxy.http": { of: "http", variables: ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] },
  "proxy.https": { of: "https", variables: ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] },
  "proxy.no_proxy": { of: "noProxy", variables: ["no_proxy", "NO_PROXY"] }
} as const

const isProxy = (name: string): name is keyof typeof PROXY => name in PROXY

/** Of a caller whose environment names a proxy all keys are the environment's, those that it does not name among them. */
const ofEnvironment = (name: string): Setting | undefined => {
  const given = proxyOf(process.env)
  if (!isProxy(name) || orElse(given, {}) !== given) return undefined
  const { of, variables } = PROXY[name]
  return { key: name, value: given[of] === undefined ? null : JSON.stringify(given[of]), from: "environment", source: variables.find((each) => (process.env[each] ?? "") !== "") ?? null }
}

/** Values that follow from the host. */
const derived = (): Readonly<Record<string, number>> => {
  const { memoryMib, vcpu } = hostDefaults(availableParallelism(), totalmem())
  return { "vm_defaults.vcpu": vcpu, "vm_defaults.memory_mib": memoryMib }
}

/** A key's value and its origin: the environment goes before the file, the file before the host and the defaults. */
const settingOf = (path: string, values: (name: string) => unknown, ofHost: Readonly<Record<string, number>>) => ({ fallback, name }: Key): Setting => {
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
environment. Flags of a command go before all of them. docs/config.md explains the keys.`,
  args: Args.none,
  flags: Options.all({ json }),
  json: SETTINGS,
  examples: ["banger config show", "banger config show --json | jq -r '.[] | select(.from == \"file\") | .key'"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const [user, host] = yield* Effect.all([configText(userConfigPath()), configText(HOST_CONFIG)])
      yield* decodeConfig(userConfigPath(), user)
      yield* Effect.mapError(decodeToml(HostConfig, host), (problem) => new BadConfig({ path: HOST_CONFIG, problem }))
      const settings = [
        ...keysOf(UserConfig).map(settingOf(userConfigPath(), valuesOf(user), derived())),
        ...keysOf(HostConfig).map(settingOf(HOST_CONFIG, valuesOf(host), {}))
      ]
      if (flags.json) yield* printJson(SETTINGS, settings)
      else {
        yield* page(table({
          heading: ["KEY", "VALUE", "FROM"],
          rows: settings.map(({ from, key, source, value }) => [key, value ?? "-", source ?? from]),
          cut: ["VALUE", "FROM"]
        }))
      }
      return 0
    })
})
