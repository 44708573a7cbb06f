import { readFileSync } from "node:fs"
import { Cidr } from "@banger/domain/network.ts"
import { HostSettings } from "@banger/capabilities/host-settings.ts"
import { HOST_CONFIG } from "@banger/capabilities/paths.ts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Toml from "smol-toml"

/** /etc/banger/install.json: who banger was installed for, and from where. Written by `system install` alone. */
export const InstallRecord = Schema.Struct({
  version: Schema.String,
  directory: Schema.String,
  owner: Schema.Struct({ name: Schema.String, uid: Schema.Int, gid: Schema.Int, home: Schema.String }),
  firecracker: Schema.String,
  jailer: Schema.String,
  /** net.ipv4.ip_forward before the install, put back by uninstall. */
  ipForward: Schema.String,
  /** `banger`, or its path where sudo would not find it. */
  command: Schema.optionalWith(Schema.String, { default: () => "banger" })
})
export type InstallRecord = typeof InstallRecord.Type
export const INSTALL_RECORD = "/etc/banger/install.json"

const off = Schema.optionalWith(Schema.Boolean, { default: () => false })
const DEFAULT_CIDR = Cidr.make("172.16.0.0/24")

const HostConfig = Schema.Struct({
  network: Schema.optionalWith(
    Schema.Struct({
      cidr: Schema.optionalWith(Cidr, { default: () => DEFAULT_CIDR }),
      vm_to_vm: off,
      lan: off,
      host_users: off
    }),
    { default: () => ({ cidr: DEFAULT_CIDR, vm_to_vm: false, lan: false, host_users: false }) }
  )
})

/** A file that root trusts is missing or not as it must be. */
export class SettingsInvalid extends Schema.TaggedError<SettingsInvalid>()("SettingsInvalid", {
  path: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.path}: ${this.problem}`
  }
  get hint() {
    return this.path === HOST_CONFIG ? "correct the key, or remove it: all keys are optional (docs/config.md)" : "sudo banger system install writes it anew"
  }
}

const decodeFile = <A, I>(path: string, schema: Schema.Schema<A, I>, parse: (text: string) => unknown, absent?: unknown) =>
  Effect.try({
    try: () => {
      try {
        return parse(readFileSync(path, "utf8"))
      } catch (error) {
        if (absent !== undefined && error instanceof Error && "code" in error && error.code === "ENOENT") return absent
        throw error
      }
    },
    catch: (error) => new SettingsInvalid({ path, problem: error instanceof Error ? error.message : String(error) })
  }).pipe(
    Effect.flatMap((value) =>
      Schema.decodeUnknown(schema, { errors: "all", onExcessProperty: "error" })(value).pipe(
        Effect.mapError((error) =>
          new SettingsInvalid({
            path,
            problem: ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) => `${path.join(".")}: ${message}`).join("; ")
          })
        )
      )
    )
  )

export const installRecord = decodeFile(INSTALL_RECORD, InstallRecord, JSON.parse)

/** /etc/banger/host.toml; all defaults where there is none. */
export const hostConfig = decodeFile(HOST_CONFIG, HostConfig, Toml.parse, {})

export const layer = Layer.effect(HostSettings, Effect.gen(function*() {
  const record = yield* installRecord
  const { network } = yield* hostConfig
  return {
    cidr: network.cidr,
    vmToVm: network.vm_to_vm,
    lan: network.lan,
    hostUsers: network.host_users,
    owner: record.owner,
    firecracker: record.firecracker,
    jailer: record.jailer,
    install: record.directory
  }
}))
