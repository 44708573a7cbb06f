import { hostValues } from "@banger/domain/host-config.ts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { HostSettings } from "../host-settings.ts"
import { Reserve } from "../reserve.ts"

const values = hostValues({})

/** Bytes: what is kept where nobody says otherwise. */
export const RESERVE_BYTES = values.reserveBytes

export const reserve = Layer.succeed(Reserve, Effect.succeed(RESERVE_BYTES))

/** What the helper goes by where host.toml says nothing. */
export const settings = ({ install = "/", uid = 0 }: { readonly install?: string; readonly uid?: number } = {}) =>
  Layer.merge(reserve, Layer.succeed(HostSettings, { ...values, config: {}, owner: { uid, gid: 0 }, firecracker: "/", jailer: "/", install }))
