import { Box, Text } from "ink"
import type { ReactElement } from "react"
import { shown } from "../../output/terminal.ts"
import type { State } from "../model.ts"

/** How many VMs there are, and what leaves some of them out. */
export const Title = ({ state: { filter, prompt, vms } }: { readonly state: State }): ReactElement => {
  const counts = vms === undefined ? "" : `  ${vms.length} ${vms.length === 1 ? "VM" : "VMs"}, ${vms.filter(({ state }) => state === "running").length} running`
  return (
    <Box justifyContent="space-between">
      <Text wrap="truncate"><Text bold>banger</Text>{counts}</Text>
      {filter === "" && prompt?._tag !== "Filter" ? null : <Text wrap="truncate" color="yellow">{shown(`filter: ${filter}`)}</Text>}
    </Box>
  )
}
