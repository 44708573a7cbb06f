import * as Context from "effect/Context"
import type { HostConfig, HostValues } from "@banger/domain/host-config.ts"

/**
 * What the root helper trusts, from /etc/banger/host.toml and the install record. The daemon's view of it comes over
 * the handshake.
 */
export class HostSettings extends Context.Tag("@banger/capabilities/HostSettings")<HostSettings, HostValues & {
  /** The file, of which the values are. */
  readonly config: HostConfig
  /** The user the install belongs to. */
  readonly owner: { readonly uid: number; readonly gid: number }
  readonly firecracker: string
  /** Beside it. */
  readonly jailer: string
  /** The directory of the installed version: runtime, bundles, guest program. */
  readonly install: string
}>() {}
