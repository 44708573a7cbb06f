import { userInfo } from "node:os"
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { command } from "../../command-line/command.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { SSH_AUTOSTART, SSH_CONFIG } from "../../host/paths.ts"
import { print } from "../../output/text.ts"
import { withBlock, withoutBlock } from "../../ssh-config/block.ts"
import { rewrite } from "../../ssh-config/file.ts"

/** ssh finds it by the home of the user database, whatever $HOME says. */
const own = () => `${userInfo().homedir}/.ssh/config`

const includes = (autostart: boolean) => `${autostart ? `Include ${SSH_AUTOSTART}\n` : ""}Include ${SSH_CONFIG}\n`

export default command({
  path: "ssh-config",
  about: `Makes ssh, and what uses it (scp, rsync, editors), know each VM as NAME.vm. Prints what belongs at the beginning of ~/.ssh/config;
--install puts it there, between two marks, and --uninstall takes it away again. banger keeps up to date what is included.`,
  args: Args.none,
  flags: Options.all({
    install: Options.boolean("install").pipe(Options.withDescription("put it into ~/.ssh/config")),
    uninstall: Options.boolean("uninstall").pipe(Options.withDescription("take it out of ~/.ssh/config")),
    autostart: Options.boolean("autostart").pipe(Options.withDescription("ssh NAME.vm starts a VM that is stopped"))
  }),
  examples: [
    "banger ssh-config --install && ssh sandbox.vm",
    "banger ssh-config --install --autostart   # a VM that is stopped is started first",
    "banger ssh-config > vms.conf && rsync -e 'ssh -F vms.conf' -a ./data/ sandbox.vm:data/"
  ],
  run: ({ flags: { autostart, install, uninstall } }) => {
    if (uninstall && (install || autostart)) return Effect.fail(new Misuse(`--uninstall and --${install ? "install" : "autostart"} contradict each other`, "banger ssh-config --uninstall"))
    if (!install && !uninstall) return Effect.as(print(includes(autostart)), 0)
    const file = own()
    return rewrite(file, (text) => install ? withBlock(text, includes(autostart)) : withoutBlock(text)).pipe(
      Effect.flatMap((changed) => print(
        install
          ? `${changed ? `${file} includes banger's VMs now` : `${file} includes them already`}: ssh NAME.vm\n`
          : `${changed ? `${file} is as it was without banger` : `${file} has nothing of banger's`}\n`
      )),
      Effect.as(0)
    )
  }
})
