import * as Effect from "effect/Effect"
import { Reserve, reserveFlag } from "@banger/capabilities/reserve.ts"
import { HOST_CONFIG } from "@banger/domain/config-file.ts"
import { decodeHostConfig, hostValues } from "@banger/domain/host-config.ts"
import { configText } from "../run/user-config.ts"

/** What root's file says by now; the services go by what it said when they were started. */
export const hostConfig = Effect.suspend(() => Effect.flatMap(configText(HOST_CONFIG), decodeHostConfig))

/** Gives its reserve to what writes where the VMs' disks may lie. */
export const withHostReserve = Effect.provideService(Reserve, Effect.map(hostConfig, (config) => hostValues(config).reserveBytes))

/** The flag that tells it to a program of banger's. */
export const hostReserve = withHostReserve(reserveFlag)
