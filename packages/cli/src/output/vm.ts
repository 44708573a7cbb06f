import { VmDetail, VmView } from "@banger/domain/vm.ts"
import { array, one } from "../command-line/json.ts"
import { green, red, yellow } from "./style.ts"
import { span } from "./units.ts"
import { plain } from "./width.ts"

export const VMS = array("VM", VmView)
export const VM_DETAIL = one("VM in detail", VmDetail)

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
