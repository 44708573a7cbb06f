import { command } from "../command.ts"
import { systemctl } from "../root-bundle.ts"

export default command({
  path: "system restart",
  about: "Restarts the daemon and the helper; VMs keep running.",
  flags: {},
  examples: ["sudo banger system restart"],
  run: () => systemctl(["system", "restart"], ["restart", "bangerd-root.service", "bangerd.service"], true)
})
