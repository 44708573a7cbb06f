import { readFileSync } from "node:fs"
import { uptime } from "node:os"
import { Helper } from "@banger/capabilities/helper.ts"
import { PROTOCOL } from "@banger/capabilities/host-ops.ts"
import type { OpFailed } from "@banger/capabilities/op-failed.ts"
import type { HelperUnreachable } from "@banger/domain/errors.ts"
import { type HostConfig, hostValues } from "@banger/domain/host-config.ts"
import type { Cidr } from "@banger/domain/network.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"

/** Milliseconds since the host's boot, its sleep included. */
export const hostUptime = (): number => Math.round(uptime() * 1000)

/** Another one means that the host was rebooted. */
export const hostBootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()

interface Hello {
  readonly version: string
  /** What root goes by. */
  readonly host: HostConfig
  readonly cidr: Cidr
  /** What the disk of the VMs keeps free. */
  readonly reserveBytes: number
}

/** What the daemon learns about its host. */
export class HostFacts extends Context.Tag("@banger/daemon/HostFacts")<HostFacts, {
  /** The handshake with the helper. An operation begins with it: one that could not be done is refused before it makes anything. */
  readonly hello: Effect.Effect<Hello, HelperUnreachable | OpFailed>
  /** The same, waiting for a helper that is away. */
  readonly helper: Effect.Effect<Hello>
  /** Another one means that the host was rebooted. */
  readonly bootId: string
}>() {
  static readonly layer = Layer.effect(HostFacts, Effect.gen(function*() {
    const client = yield* Helper
    const hello = Effect.map(client.helper.Hello({ protocol: PROTOCOL }), ({ host, version }): Hello => {
      const { cidr, reserveBytes } = hostValues(host)
      return { version, host, cidr, reserveBytes }
    })
    return {
      hello,
      helper: hello.pipe(
        Effect.tapError((error) => Effect.logWarning(error.message)),
        Effect.retry(Schedule.exponential("200 millis").pipe(Schedule.union(Schedule.spaced("5 seconds")))),
        Effect.orDieWith(() => "unreachable: retried for ever")
      ),
      bootId: hostBootId()
    }
  }))
}
