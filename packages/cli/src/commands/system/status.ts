import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import { command } from "../../command-line/command.ts"
import { systemctl } from "../../host/root-bundle.ts"

const UNITS = ["bangerd.socket", "bangerd.service", "bangerd-dns*.socket", "banger-dns.service", "bangerd-root.socket", "bangerd-root.service", "banger-vm@*"]

export default command({
  path: "system status",
  about: "Shows the state of banger's services, as systemctl status does.",
  args: Args.none,
  flags: Options.none,
  examples: ["banger system status"],
  run: () => systemctl(["system", "status"], ["--no-pager", "--lines=3", "status", ...UNITS], false)
})
