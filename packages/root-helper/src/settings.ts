import { readFileSync } from "node:fs"
import { decodeToml } from "@banger/domain/config-file.ts"
import { HOST_CONFIG, HostConfig } from "@banger/domain/config.ts"
import { HostSettings } from "@banger/capabilities/host-settings.ts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

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

/** A file that root trusts is missing or not as it must be. */
export class SettingsInvalid extends Schema.TaggedError<SettingsInvalid>()("SettingsInvalid", {
  path: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.path}: ${this.problem}`
  }
  get hint() {
    return this.path === HOST_CONFIG ? "correct the keys, or remove them: all are optional (docs/config.md)" : "sudo banger system install writes it anew"
  }
}

/** The file's text; `absent` where there is none. */
const textOf = (path: string, absent?: string) =>
  Effect.try({
    try: () => {
      try {
        return readFileSync(path, "utf8")
      } catch (error) {
        if (absent !== undefined && error instanceof Error && "code" in error && error.code === "ENOENT") return absent
        throw error
      }
    },
    catch: (error) => new SettingsInvalid({ path, problem: error instanceof Error ? error.message : String(error) })
  })

export const installRecord = Effect.flatMap(textOf(INSTALL_RECORD), (text) =>
  Effect.mapError(Schema.decode(Schema.parseJson(InstallRecord), { onExcessProperty: "error" })(text), ({ message }) => new SettingsInvalid({ path: INSTALL_RECORD, problem: message.split("\n").join(" ") })))

/** /etc/banger/host.toml; all defaults where there is none. */
export const hostConfig = Effect.flatMap(textOf(HOST_CONFIG, ""), (text) =>
  Effect.mapError(decodeToml(HostConfig, text), (problem) => new SettingsInvalid({ path: HOST_CONFIG, problem })))

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
