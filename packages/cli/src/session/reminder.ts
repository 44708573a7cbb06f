import * as Effect from "effect/Effect"
import { health } from "@banger/capabilities/vsock/agent-client.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { say } from "../output/text.ts"

export const reminder = ({ name }: VmView): string =>
  `${name} runs on: banger vm exec ${name} -- CMD; banger vm stop ${name}; banger vm delete ${name} --force`

/** Says that the VM runs on, if it does: its guest may have been shut down from within. */
export const remind = (vm: VmView): Effect.Effect<void> =>
  health(vm.vsock).pipe(Effect.flatMap(() => say(reminder(vm))), Effect.ignore)
