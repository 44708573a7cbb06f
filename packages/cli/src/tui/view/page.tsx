import { Box, Text } from "ink"
import type { ReactElement } from "react"
import { size } from "@banger/domain/size.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { shown } from "../../output/terminal.ts"
import { mib, span } from "../../output/units.ts"
import { stateText } from "../../output/vm.ts"
import { logOf, type Page as Shown, PARTS, type State } from "../model.ts"
import { cut } from "./rows.tsx"

const facts = (vm: VmView, { detail }: Shown, { doing, figures, toldAt }: State, now: number): ReadonlyArray<readonly [string, string]> => {
  const its = figures.get(vm.id)
  const runs = vm.state === "running" || vm.state === "paused"
  return [
    ["state", doing.get(vm.id) ?? stateText(vm)],
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
export const Page = ({ columns, now, page, rows, state }: { readonly state: State; readonly page: Shown; readonly columns: number; readonly rows: number; readonly now: number }): ReactElement | null => {
  const vm = state.vms?.find(({ id }) => id === page.id)
  if (vm === undefined) return null
  const log = logOf(page)
  // Of a log that was scrolled to its beginning the first lines are shown, however many are gone from there since.
  const end = Math.max(Math.min(rows, log.length), log.length - page.back)
  return (
    <Box flexDirection="column">
      <Text wrap="truncate"><Text bold>{shown(vm.name)}</Text>{page.back > 0 ? `  ${page.back} lines before the end` : ""}</Text>
      <Text wrap="truncate">{PARTS.map((part) => <Text key={part} bold={part === page.part} inverse={part === page.part}>{part === page.part ? `[${part}]` : ` ${part} `}</Text>)}</Text>
      {page.part === "facts"
        ? facts(vm, page, state, now).slice(0, rows).map(([name, value]) => <Text key={name} wrap="truncate">{cut(`${name.padEnd(9)}${value}`, columns)}</Text>)
        : log.length === 0
        ? <Text dimColor>nothing yet</Text>
        : log.slice(Math.max(0, end - rows), end).map((line, at) => <Text key={at} wrap="truncate">{cut(line, columns)}</Text>)}
    </Box>
  )
}
