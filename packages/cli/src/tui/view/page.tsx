import { Box, Text } from "ink"
import type { ReactElement } from "react"
import { size } from "@banger/domain/size.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { shown } from "../../output/terminal.ts"
import { mib, span } from "../../output/units.ts"
import { stateText } from "../../output/vm.ts"
import { type Page as Shown, PARTS, type State } from "../model.ts"

const facts = (vm: VmView, { detail }: Shown, { doing, figures, toldAt }: State, now: number): ReadonlyArray<readonly [string, string]> => {
  const its = figures.get(vm.id)
  const runs = vm.state === "running" || vm.state === "paused"
  return [
    ["state", doing.get(vm.name) ?? stateText(vm)],
    ["uptime", vm.uptimeMs === null ? "-" : span(vm.uptimeMs + now - toldAt)],
    ["cpu", `${vm.vcpu} vCPU${runs && its !== undefined && its.cpuPercent !== null ? `, ${its.cpuPercent.toFixed(0)}% of one` : ""}`],
    ["memory", runs && its !== undefined && its.memoryBytes !== null ? `${size(its.memoryBytes)} of ${mib(vm.memoryMib)}` : mib(vm.memoryMib)],
    ["disk", `${detail === undefined ? "" : `${size(detail.disks.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0))} taken, `}${mib(vm.diskMib)} for /root`],
    ["network", `${vm.address}, ${vm.dns}, NAT ${vm.nat ? "on" : "off"}`],
    ["ports", runs ? its?.ports?.join(" ") ?? "" : ""],
    ["image", vm.image],
    ["kernel", `${vm.kernel}${detail === undefined ? "" : ` (${detail.kernelRelease})`}`],
    ["id", vm.id]
  ]
}

/** One VM: its facts, its console, or its events. */
export const Page = ({ now, page, rows, state }: { readonly state: State; readonly page: Shown; readonly rows: number; readonly now: number }): ReactElement | null => {
  const vm = state.vms?.find(({ id }) => id === page.id)
  if (vm === undefined) return null
  const log = page.part === "facts" ? [] : page[page.part]
  const end = log.length - page.back
  return (
    <Box flexDirection="column">
      <Text wrap="truncate"><Text bold>{shown(vm.name)}</Text>{page.back > 0 ? `  ${page.back} lines before the end` : ""}</Text>
      <Text wrap="truncate">{PARTS.map((part) => <Text key={part} bold={part === page.part} inverse={part === page.part}>{` ${part} `}</Text>)}</Text>
      {page.part === "facts"
        ? facts(vm, page, state, now).slice(0, rows).map(([name, value]) => <Text key={name} wrap="truncate">{`${name.padEnd(9)}${shown(value)}`}</Text>)
        : log.length === 0
        ? <Text dimColor>nothing yet</Text>
        : log.slice(Math.max(0, end - rows), end).map((line, at) => <Text key={at} wrap="truncate">{shown(line)}</Text>)}
    </Box>
  )
}
