import { Helper } from "@banger/capabilities/helper.ts"
import { PROTOCOL } from "@banger/capabilities/host-ops.ts"
import { HELPER_SOCKET } from "@banger/capabilities/paths.ts"
import { HOST_CONFIG } from "@banger/domain/config-file.ts"
import { type HostConfig, hostValues } from "@banger/domain/host-config.ts"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { hostText, installRecord } from "../settings.ts"
import { inLines, planOf, refuseUnfit, writePlan } from "./host-file.ts"
import { restart } from "./names.ts"
import { readWish } from "./wish.ts"

const values = (config: HostConfig) => JSON.stringify(hostValues(config))

/**
 * Whether the services go by a configuration. They may not, though the file has it: somebody wrote it by hand, or an apply was
 * killed. A helper that does not answer, or is of another version, does not.
 */
const goBy = (config: HostConfig) =>
  Effect.flatMap(Helper, ({ helper }) => helper.Hello({ protocol: PROTOCOL })).pipe(
    Effect.map(({ host }) => values(host) === values(config)),
    Effect.orElseSucceed(() => false),
    Effect.provide(Helper.layer(HELPER_SOCKET)),
    Effect.scoped
  )

/** Makes what the owner wishes of the host count: checked, written into root's file, services restarted. VMs run on. Safe to repeat. */
export const apply = ({ dryRun }: { readonly dryRun: boolean }) =>
  Effect.gen(function*() {
    // Everybody may read the file, whatever the caller's is.
    process.umask(0o022)
    const record = yield* installRecord
    const plan = yield* planOf(yield* hostText, yield* readWish(record.owner))
    if (plan.changes.length > 0) yield* Console.log(`${HOST_CONFIG}:\n${inLines(plan)}`)
    yield* refuseUnfit(plan, "sudo banger system apply")
    if (plan.changes.length === 0 && (yield* goBy(plan.host))) {
      return yield* Console.error(`nothing changes: root goes by what ${record.owner.home}/.config/banger/config.toml wishes`)
    }
    if (dryRun) return yield* Console.error(plan.changes.length > 0 ? "nothing is changed: this was a dry run" : `${HOST_CONFIG} has changed since the services were started; nothing is done: this was a dry run`)
    yield* writePlan(plan)
    yield* restart(record)
    yield* Console.error(`${plan.changes.length > 0 ? "this counts now" : `${HOST_CONFIG} counts now, as it was written before`}; VMs run on`)
  })
