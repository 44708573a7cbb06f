import * as fs from "node:fs/promises"
import { file, writeWhole } from "@banger/capabilities/files.ts"
import type { BadConfig } from "@banger/domain/config-file.ts"
import { StateUnwritable } from "@banger/domain/errors.ts"
import type { VmName } from "@banger/domain/ids.ts"
import { address } from "@banger/domain/network.ts"
import type { VmSpec } from "@banger/domain/vm.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Config } from "../config.ts"
import { Registry } from "./registry.ts"

/** The files' name in doctor while they cannot be written. ssh alone needs these files, and the next VM that is made writes them anew. */
export const SSH_FILES = "host keys and addresses for ssh"

/** A VM as ssh knows it. */
export interface SshHost {
  readonly name: VmName
  readonly address: string
  /** `<type> <base64>`: the guest's public host key, which we made ourselves. */
  readonly key: string
}

/** A path as the value of a setting in which ssh looks for tokens. */
const quoted = (path: string) => `"${path.replaceAll("%", "%%")}"`

const HEAD = "# Written by banger from its VMs, anew whenever one comes or goes: banger ssh-config says how ssh reads it.\n"

export const knownHosts = (hosts: ReadonlyArray<SshHost>): string => hosts.map(({ key, name }) => `${name}.vm ${key}\n`).join("")

/**
 * A `Host` block a VM; other hosts whose names end in `.vm` are left alone. The user's own settings apply to VMs, too, except for those
 * that are set here, since ssh takes the first value: the settings that lead to another host, and those that would hand a guest the user's
 * agent, display or tickets.
 */
export const sshConfig = (hosts: ReadonlyArray<SshHost>, identity: string, known: string): string =>
  HEAD + hosts.map(({ address, name }) => `Host ${name}.vm
  HostName ${address}
  HostKeyAlias ${name}.vm
  User root
  IdentityFile ${quoted(identity)}
  IdentitiesOnly yes
  UserKnownHostsFile ${quoted(known)}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  CheckHostIP no
  ProxyCommand none
  ForwardAgent no
  ForwardX11 no
  GSSAPIAuthentication no
`).join("")

/** Seconds that an sshd may take that is still coming up. */
const PATIENCE = 60

/**
 * Starts a VM that ssh is about to reach, and waits for its sshd. `Match exec` is ssh's only hook before it connects; the
 * command stands last in its line, because ssh runs it only where the name fits.
 */
export const sshAutostart = (hosts: ReadonlyArray<SshHost>): string => {
  const wait = (name: VmName) => `banger vm wait --for ssh --timeout ${PATIENCE}s ${name}`
  return HEAD + hosts.map(({ name }) => `Match originalhost ${name}.vm exec "${wait(name)} 2>/dev/null || { banger vm start ${name} && ${wait(name)}; }"\n`).join("")
}

/** The files by which ssh knows VMs: `vm ssh` reads known_hosts, and users' own configurations include config and autostart (`banger ssh-config`). */
export class SshFiles extends Context.Tag("@banger/daemon/SshFiles")<SshFiles, {
  /** Written anew from all VMs; each file whole or not at all. */
  readonly write: Effect.Effect<void, BadConfig | StateUnwritable>
  /** The same where the owner's key is another than what is written: the VM that starts is given that one. */
  readonly follow: Effect.Effect<void, BadConfig | StateUnwritable>
}>() {
  /** `state` is the daemon's: vms/<id> has the keys, ssh/ gets the files. */
  static readonly layer = (state: string) => Layer.effect(SshFiles, Effect.gen(function*() {
    const { sshKey } = yield* Config
    const directory = `${state}/ssh`
    let named: string | undefined
    const registry = yield* Registry
    const lock = yield* Effect.makeSemaphore(1)
    const host = ({ cidr, id, name, slot }: VmSpec) =>
      file(id, () => fs.readFile(`${state}/vms/${id}/ssh_host_ed25519_key.pub`, "utf8")).pipe(
        Effect.map((key): ReadonlyArray<SshHost> => [{ name, address: address(cidr, slot), key: key.split(" ").slice(0, 2).join(" ").trim() }]),
        // A VM that is being made, or taken apart, has no key.
        Effect.orElseSucceed(() => [])
      )
    const write = Effect.gen(function*() {
      const identity = yield* sshKey
      yield* Effect.gen(function*() {
        const hosts = (yield* Effect.forEach(registry.cells(), ({ record }) => host(record.spec), { concurrency: 16 })).flat()
        yield* file(directory, () => fs.mkdir(directory, { recursive: true, mode: 0o700 }))
        const known = `${directory}/known_hosts`
        yield* Effect.all([
          writeWhole(known, knownHosts(hosts), 0o600),
          writeWhole(`${directory}/config`, sshConfig(hosts, identity, known), 0o600),
          writeWhole(`${directory}/autostart`, sshAutostart(hosts), 0o600)
        ], { concurrency: "unbounded", discard: true })
      }).pipe(Effect.mapError((error) => new StateUnwritable({ problem: error.message })))
      named = identity
    }).pipe(lock.withPermits(1))
    return { write, follow: Effect.flatMap(sshKey, (identity) => identity === named ? Effect.void : write) }
  }))
}
