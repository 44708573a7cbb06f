import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fitting } from "../../command-line/arguments.ts"
import { command } from "../../command-line/command.ts"
import { SCRIPTS } from "../../completion/scripts.ts"
import { print } from "../../output/text.ts"

const Shell = Schema.Literal("bash", "zsh", "fish", "powershell").annotations({ message: () => "expected bash, zsh, fish or powershell" })

export default command({
  path: "completion",
  about: `Prints the script by which a shell completes commands, flags and the names of VMs, images and kernels.
banger system install puts those of bash, zsh and fish where these find them.`,
  args: Args.text({ name: "SHELL" }).pipe(fitting(Shell, "banger completion bash")),
  flags: Options.none,
  examples: [
    "source <(banger completion bash)              # or zsh, after compinit",
    "banger completion fish | source",
    "banger completion powershell | Out-String | Invoke-Expression"
  ],
  run: ({ args: shell }) => Effect.as(print(SCRIPTS[shell]), 0)
})
