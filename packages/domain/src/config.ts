import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { ImageName, KernelName } from "./ids.ts"
import { DiskMib, MemoryMib, Vcpu } from "./vm.ts"

/** `16G`, `512M`: a size in MiB. */
export const Size = Schema.transformOrFail(Schema.String, Schema.Int, {
  strict: true,
  decode: (text, _, ast) => {
    const match = /^(\d{1,7})([MGT])(?:i?B)?$/.exec(text)
    if (match === null) return ParseResult.fail(new ParseResult.Type(ast, text, `expected a size such as 512M, 16G or 1T, got ${text}`))
    return ParseResult.succeed(Number(match[1]) * { M: 1, G: 1024, T: 1024 * 1024 }[match[2] as "M" | "G" | "T"])
  },
  encode: (mib) => ParseResult.succeed(`${mib}M`)
})

/** Absent or right: `undefined` is no value of TOML, and its mention would make messages longer. */
const optional = <S extends Schema.Schema.All>(schema: S) => Schema.optionalWith(schema, { exact: true })

/** Of a proxy. */
const Address = Schema.String.pipe(
  Schema.filter((text) => /^(https?|socks5h?):$/.test(URL.parse(text)?.protocol ?? "") || "expected an address such as http://proxy.example:3128")
)

/** Variables of a recipe's script with their values: where its sources are, what it installs. */
export const Parameters = Schema.Record({
  key: Schema.String.pipe(Schema.pattern(/^[A-Z][A-Z0-9_]*$/, { message: () => "expected a name such as DEBIAN_MIRROR" })),
  value: Schema.String
})
export type Parameters = typeof Parameters.Type

/** How much of a repository's history `vm run` sends. */
export const HistoryMode = Schema.Literal("auto", "shallow", "full").annotations({ message: () => "expected auto, shallow or full" })
export type HistoryMode = typeof HistoryMode.Type

/** ~/.config/banger/config.toml, spec 7. What root trusts is not in it. */
export const UserConfig = Schema.Struct({
  default_image_name: optional(ImageName),
  namegen_path: optional(Schema.String),
  tap_pool_size: optional(Schema.Int.pipe(Schema.between(0, 64))),
  default_kernel: optional(KernelName),
  catalog: optional(Schema.Struct({
    /** Further catalogs (docs/images.md), asked before banger's own. */
    urls: optional(Schema.Array(Schema.String)),
    /** By registry, a host that is asked first: `"docker.io" = "mirror.example:5000"`. */
    mirrors: optional(Schema.Record({ key: Schema.String, value: Schema.String })),
    /** By recipe, what its script's variables are instead of their defaults. */
    parameters: optional(Schema.Record({ key: ImageName, value: Parameters }))
  })),
  /** For fetching, where the caller's environment names none. */
  proxy: optional(Schema.Struct({
    http: optional(Address),
    https: optional(Address),
    no_proxy: optional(Schema.String)
  })),
  vm_defaults: optional(Schema.Struct({
    vcpu: optional(Vcpu),
    memory_mib: optional(MemoryMib),
    disk_size: optional(Schema.compose(Size, DiskMib)),
    nat: optional(Schema.Boolean)
  })),
  vm_run: optional(Schema.Struct({
    history: optional(HistoryMode)
  }))
})
export type UserConfig = typeof UserConfig.Type

export class BadConfig extends Schema.TaggedError<BadConfig>()("BadConfig", { path: Schema.String, problem: Schema.String }) {
  override get message() {
    return `${this.path}: ${this.problem}`
  }
  get hint() {
    return this.problem.startsWith("network") ? "[network] is root's: /etc/banger/host.toml" : "correct the key, or remove it: all keys are optional"
  }
}

/** Unknown keys are errors that name the key. */
export const decodeConfig = (path: string, parsed: unknown): Effect.Effect<UserConfig, BadConfig> =>
  Schema.decodeUnknown(UserConfig, { errors: "all", onExcessProperty: "error" })(parsed).pipe(
    Effect.mapError((error) =>
      new BadConfig({
        path,
        problem: ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) => `${path.join(".")}: ${message}`).join("; ")
      })
    )
  )
