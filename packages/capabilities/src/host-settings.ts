import * as Context from "effect/Context"
import type { Cidr } from "@banger/domain/network.ts"

/**
 * What the root helper trusts, from /etc/banger/host.toml and the install record. The daemon's view of it comes over
 * the handshake.
 */
export class HostSettings extends Context.Tag("@banger/capabilities/HostSettings")<HostSettings, {
  readonly cidr: Cidr
  readonly vmToVm: boolean
  readonly lan: boolean
  /** Whether other users of the host than root and the owner reach guests. */
  readonly hostUsers: boolean
  /** The user the install belongs to. */
  readonly owner: { readonly uid: number; readonly gid: number }
  readonly firecracker: string
  readonly jailer: string
  /** The directory of the installed version: runtime, bundles, guest program. */
  readonly install: string
}>() {}
