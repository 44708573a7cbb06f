import { HostOps, PROTOCOL } from "@banger/capabilities/host-ops.ts"
import { HostSettings } from "@banger/capabilities/host-settings.ts"
import { OpFailed, opFailed } from "@banger/capabilities/op-failed.ts"
import { VERSION } from "@banger/domain/version.ts"
import * as Effect from "effect/Effect"
import { leaks } from "./leaks.ts"

export const handlers = HostOps.toLayer(Effect.map(HostSettings, ({ config }) => HostOps.of({
  "helper.Hello": ({ protocol }) =>
    protocol === PROTOCOL
      ? Effect.succeed({ version: VERSION, host: config })
      : new OpFailed({
        subject: "root helper",
        problem: `it speaks protocol ${PROTOCOL}, the daemon ${protocol}`,
        fix: "sudo systemctl restart bangerd-root bangerd"
      }),
  "helper.Leaks": ({ known }) => Effect.mapError(leaks(known), opFailed("host objects"))
})))
