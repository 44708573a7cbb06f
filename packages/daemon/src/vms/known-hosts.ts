import * as fs from "node:fs/promises"
import { file, writeWhole } from "@banger/capabilities/files.ts"
import { StateUnwritable } from "@banger/domain/errors.ts"
import type { VmSpec } from "@banger/domain/vm.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Registry } from "./registry.ts"

/** What doctor calls it while it cannot be written: `vm ssh` alone needs it, and the next VM writes it anew. */
export const KNOWN_HOSTS = "host keys for vm ssh"

/** banger's own known_hosts: every VM's host key, which we made ourselves, under `<name>.vm`. */
export class KnownHosts extends Context.Tag("@banger/daemon/KnownHosts")<KnownHosts, {
  /** Written anew from all VMs; whole or not at all. */
  readonly write: Effect.Effect<void, StateUnwritable>
}>() {
  /** `state` is the daemon's: vms/<id> has the keys, ssh/known_hosts is what `vm ssh` reads. */
  static readonly layer = (state: string) => Layer.effect(KnownHosts, Effect.gen(function*() {
    const knownHosts = `${state}/ssh/known_hosts`
    const registry = yield* Registry
    const lock = yield* Effect.makeSemaphore(1)
    const line = ({ id, name }: VmSpec) =>
      file(id, () => fs.readFile(`${state}/vms/${id}/ssh_host_ed25519_key.pub`, "utf8")).pipe(
        Effect.map((key) => `${name}.vm ${key.split(" ").slice(0, 2).join(" ").trim()}\n`),
        // A VM that is being made, or taken apart, has no key.
        Effect.orElseSucceed(() => "")
      )
    return {
      write: Effect.gen(function*() {
        const lines = yield* Effect.forEach(registry.cells(), ({ record }) => line(record.spec), { concurrency: 16 })
        yield* file(knownHosts, () => fs.mkdir(`${state}/ssh`, { recursive: true, mode: 0o700 }))
        yield* writeWhole(knownHosts, lines.join(""), 0o600)
      }).pipe(Effect.mapError((error) => new StateUnwritable({ problem: error.message })), lock.withPermits(1))
    }
  }))
}
