import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { VmId, VmName } from "@banger/domain/ids.ts"

/** `<name>.vm` answers with the VM's address. */
export class DnsRecord extends Context.Tag("@banger/capabilities/dns/DnsRecord")<DnsRecord, {
  readonly name: string
  readonly address: string
}>() {}

export interface Published {
  /** Whose record it is: a VM has one. */
  readonly vm: VmId
  readonly name: VmName
  readonly address: string
  /** Whether the guest's own queries for other names are passed on. */
  readonly forward: boolean
}

export interface DnsStatus {
  /** Sockets that are bound, such as `127.0.0.1:42069/udp`. */
  readonly bound: ReadonlyArray<string>
  /** Why others are not. */
  readonly failed: ReadonlyArray<string>
  /** Whether systemd holds all that are bound, so that nobody else gets them while the daemon is away. */
  readonly held: boolean
}

/** Host service: the daemon's name server. */
export class Dns extends Context.Tag("@banger/capabilities/dns/Dns")<Dns, {
  /** Replaces what the VM had, and what the name and the address had. */
  readonly publish: (record: Published) => Effect.Effect<void>
  /** The VM's record, whatever it says by now. */
  readonly withdraw: (vm: VmId) => Effect.Effect<void>
  /** Every VM that runs is published by now: what is not is answered with a no, where it waited for this before. */
  readonly complete: Effect.Effect<void>
  /** Answers what it was asked so far, and reads no more: that waits in systemd's sockets for the next daemon. To be done before records go. */
  readonly close: Effect.Effect<void>
  readonly status: Effect.Effect<DnsStatus>
}>() {}
