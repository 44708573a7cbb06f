import { readFileSync } from "node:fs"
import * as path from "node:path"
import { BadConfig, HOST_CONFIG } from "@banger/domain/config-file.ts"
import { decodeHostConfig, type HostConfig, hostValues } from "@banger/domain/host-config.ts"
import { HostSettings } from "@banger/capabilities/host-settings.ts"
import { Reserve } from "@banger/capabilities/reserve.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/** /etc/banger/install.json: who banger was installed for, and from where. Written by `system install` alone. */
export const InstallRecord = Schema.Struct({
  version: Schema.String,
  directory: Schema.String,
  owner: Schema.Struct({ name: Schema.String, uid: Schema.Int, gid: Schema.Int, home: Schema.String }),
  /** Those that the install found: they count where host.toml names none. */
  firecracker: Schema.String,
  jailer: Schema.String,
  /** net.ipv4.ip_forward before the install, put back by uninstall. */
  ipForward: Schema.String,
  /** `banger`, or its path where sudo would not find it. */
  command: Schema.optionalWith(Schema.String, { default: () => "banger" })
})
export type InstallRecord = typeof InstallRecord.Type
export const INSTALL_RECORD = "/etc/banger/install.json"

/** The install record is missing or not as it must be. */
export class SettingsInvalid extends Schema.TaggedError<SettingsInvalid>()("SettingsInvalid", {
  path: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.path}: ${this.problem}`
  }
  get hint() {
    return "sudo banger system install writes it anew"
  }
}

const said = (error: unknown) => error instanceof Error ? error.message : String(error)

export const installRecord = Effect.try({
  try: () => readFileSync(INSTALL_RECORD, "utf8"),
  catch: (error) => new SettingsInvalid({ path: INSTALL_RECORD, problem: said(error) })
}).pipe(
  Effect.flatMap((text) =>
    Effect.mapError(Schema.decode(Schema.parseJson(InstallRecord), { onExcessProperty: "error" })(text), ({ message }) => new SettingsInvalid({ path: INSTALL_RECORD, problem: message.split("\n").join(" ") })))
)

/** The text of /etc/banger/host.toml; undefined where there is none. */
export const hostText = Effect.try({
  try: () => {
    try {
      return readFileSync(HOST_CONFIG, "utf8")
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
      throw error
    }
  },
  catch: (error) => new BadConfig({ path: HOST_CONFIG, problem: said(error) })
})

/** What it says; nothing where there is none. */
export const hostConfig = Effect.flatMap(hostText, (text) => decodeHostConfig(text ?? ""))

/** Firecracker and its jailer: what host.toml names, else what the install found. */
export const programs = (config: HostConfig, found: string): { readonly firecracker: string; readonly jailer: string } => {
  const firecracker = config.firecracker_bin ?? found
  return { firecracker, jailer: `${path.dirname(firecracker)}/jailer` }
}

/** What the helper goes by, from its start on. */
export const layer = Layer.effectContext(Effect.gen(function*() {
  const record = yield* installRecord
  const config = yield* hostConfig
  const values = hostValues(config)
  return Context.make(HostSettings, {
    ...values,
    config,
    owner: record.owner,
    ...programs(config, record.firecracker),
    install: record.directory
  }).pipe(Context.add(Reserve, Effect.succeed(values.reserveBytes)))
}))
