import * as Schema from "effect/Schema"
import { VmDetail, VmView } from "@banger/domain/vm.ts"
import { green, red, yellow } from "./style.ts"
import { span } from "./units.ts"
import { plain } from "./width.ts"

export const VM_FIELDS: ReadonlyArray<string> = [
  "id, name, state, reason, image, kernel, vcpu, memoryMib, diskMib, nat, address, dns,",
  "createdAt, startedAt (milliseconds since 1970, or null), uptimeMs (or null), ephemeral, vsock,",
  "run {env[], entrypoint[], cmd[], workdir, user} (the image's, or null)"
]

export const viewJson = Schema.encodeSync(VmView)
export const detailJson = Schema.encodeSync(VmDetail)

/** `crashed (signal 9 (SIGKILL))`. */
export const stateText = ({ reason, state }: Pick<VmView, "state" | "reason">): string => reason === "" ? state : `${state} (${plain(reason)})`

export const paintState = (vm: Pick<VmView, "state" | "reason">): string => {
  const text = stateText(vm)
  if (vm.state === "running") return green(text)
  if (vm.state === "crashed" || vm.state === "broken") return red(text)
  return vm.state === "stopped" ? text : yellow(text)
}

/** How long it runs already. */
export const uptime = (vm: VmView): string => vm.uptimeMs === null ? "-" : span(vm.uptimeMs)
