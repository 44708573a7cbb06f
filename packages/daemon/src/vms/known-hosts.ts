import * as fs from "node:fs/promises"
import { file, writeWhole } from "@banger/capabilities/files.ts"
import { DAEMON_STATE, vmFiles } from "@banger/capabilities/paths.ts"
import { StateUnwritable } from "@banger/domain/errors.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Registry } from "./registry.ts"

export const KNOWN_HOSTS = `${DAEMON_STATE}/ssh/known_hosts`

/** banger's own known_hosts: every VM's host key, which we made ourselves, under `<name>.vm`. */
export class KnownHosts extends Context.Tag("@banger/daemon/KnownHosts")<KnownHosts, {
  /** Written anew from all VMs; whole or not at all. */
  readonly write: Effect.Effect<void, StateUnwritable>
}>() {
  static readonly layer = Layer.effect(KnownHosts, Effect.gen(function*() {
    const registry = yield* Registry
    const lock = yield* Effect.makeSemaphore(1)
    const line = ({ id, name }: { readonly id: Parameters<typeof vmFiles>[0]; readonly name: string }) =>
      file(vmFiles(id), () => fs.readFile(`${vmFiles(id)}/ssh_host_ed25519_key.pub`, "utf8")).pipe(
        Effect.map((key) => `${name}.vm ${key.split(" ").slice(0, 2).join(" ").trim()}\n`),
        // A VM that is being made, or taken apart, has no key.
        Effect.orElseSucceed(() => "")
      )
    return {
      write: Effect.gen(function*() {
        const lines = yield* Effect.forEach(registry.cells(), ({ record }) => line(record.spec), { concurrency: 16 })
        yield* file(KNOWN_HOSTS, () => fs.mkdir(`${DAEMON_STATE}/ssh`, { recursive: true, mode: 0o700 }))
        yield* writeWhole(KNOWN_HOSTS, lines.join(""), 0o600)
      }).pipe(Effect.mapError((error) => new StateUnwritable({ problem: error.message })), lock.withPermits(1))
    }
  }))
}
