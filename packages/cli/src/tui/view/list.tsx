import { Box, Text } from "ink"
import type { ReactElement } from "react"
import { size } from "@banger/domain/size.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { layout } from "../../output/table.ts"
import { ellipsis, shown } from "../../output/terminal.ts"
import { padded } from "../../output/width.ts"
import { mib, span } from "../../output/units.ts"
import { stateText } from "../../output/vm.ts"
import { listed, type State } from "../model.ts"
import { Title } from "./title.tsx"
import { cut, MARK, mark, windowOf } from "./rows.tsx"

/** Ports that are shown of a guest, which may have thousands. */
const PORTS = 8

const ports = (open: ReadonlyArray<number> | undefined) =>
  open === undefined || open.length === 0 ? "" : `${open.slice(0, PORTS).join(" ")}${open.length > PORTS ? ` +${open.length - PORTS}` : ""}`

const row = ({ doing, figures, toldAt }: State, columns: number, now: number) => (vm: VmView) => {
  const its = vm.state === "running" || vm.state === "paused" ? figures.get(vm.id) : undefined
  const cpu = its?.cpuPercent ?? undefined
  return [
    // Neither makes the figures of all other VMs disappear.
    cut(vm.name, Math.floor(columns / 3)),
    cut(doing.get(vm.id) ?? stateText(vm), Math.floor(columns / 4)),
    cpu === undefined ? "" : `${cpu.toFixed(0)}%`,
    its === undefined || its.memoryBytes === null ? "" : size(its.memoryBytes),
    mib(vm.memoryMib),
    its === undefined ? "" : size(its.diskBytes),
    ports(its?.ports),
    vm.image,
    vm.uptimeMs === null ? "" : span(vm.uptimeMs + now - toldAt)
  ].map(shown)
}

const COLOURS: Partial<Record<VmView["state"], string>> = { crashed: "red", broken: "red", creating: "yellow", starting: "yellow", stopping: "yellow", paused: "yellow" }

const nothing = ({ filter, lost, vms }: State): string => {
  if (vms === undefined) return lost === undefined ? "asking the daemon" : ""
  return filter === "" ? "there is no VM yet: n makes one" : `no VM has ${JSON.stringify(filter)} in its name, state or image: esc shows all`
}

/** All VMs, or those that the filter leaves. */
export const List = ({ columns, now, rows, state }: { readonly state: State; readonly columns: number; readonly rows: number; readonly now: number }): ReactElement => {
  const vms = listed(state)
  const at = vms.findIndex(({ id }) => id === state.selected)
  const first = windowOf(vms.length, at, rows)
  const inView = vms.slice(first, first + rows)
  const [heading, ...lines] = layout({
    heading: ["NAME", "STATE", "CPU", "MEMORY", "OF", "DISK", "PORTS", "IMAGE", "UPTIME"],
    rows: inView.map(row(state, columns, now)),
    cut: ["IMAGE", "UPTIME", "PORTS", "OF", "DISK", "MEMORY", "CPU"]
  }, columns - MARK, ellipsis()).split("\n")
  return (
    <Box flexDirection="column">
      <Title state={state} />
      {inView.length === 0 ? <Text dimColor wrap="truncate">{shown(nothing(state))}</Text> : <Text bold wrap="truncate">{mark(false) + heading}</Text>}
      {inView.map(({ id, state: its }, index) => {
        const colour = COLOURS[its]
        return <Text key={id} wrap="truncate" inverse={id === state.selected} dimColor={its === "stopped"} {...(colour !== undefined && { color: colour })}>{mark(id === state.selected) + padded(lines[index] ?? "", columns - MARK)}</Text>
      })}
    </Box>
  )
}
