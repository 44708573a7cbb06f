import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { VmName } from "@banger/domain/ids.ts"

/** `<name>.vm` answers with the VM's address. */
export class DnsRecord extends Context.Tag("@banger/capabilities/dns/DnsRecord")<DnsRecord, {
  readonly name: string
  readonly address: string
}>() {}

export interface Published {
  readonly name: VmName
  readonly address: string
  /** Whether the guest's own queries for other names are passed on. */
  readonly forward: boolean
}

/** Host service: the daemon's name server. */
export class Dns extends Context.Tag("@banger/capabilities/dns/Dns")<Dns, {
  /** Replaces what the name had. */
  readonly publish: (record: Published) => Effect.Effect<void>
  /** Nothing when the name has another address by now. */
  readonly withdraw: (record: Published) => Effect.Effect<void>
  /** Sockets that are bound, such as `127.0.0.1:42069/udp`, and why others are not. */
  readonly status: Effect.Effect<{ readonly bound: ReadonlyArray<string>; readonly failed: ReadonlyArray<string> }>
}>() {}
