import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { HostAddress, TapNat } from "@banger/domain/tap-nat.ts"
import { command } from "../../command-line/command.ts"
import { as, json, needed } from "../../command-line/options.ts"
import { askRoot } from "../../host/root-bundle.ts"
import { print, printJson } from "../../output/text.ts"
import { RULES, tap } from "./tap.ts"

const EXAMPLE = "sudo banger internal nat up --tap tap0 --address 172.30.0.2"

export default command({
  path: "internal nat up",
  about: `Lets a machine of your own, behind a TAP of your own, reach the world as a VM with NAT does: not the LAN (network.lan), and only answers come in.
The TAP has an address, and the machine it as its gateway; that is yours to set. The rules last until down, a reboot, or another up with the same TAP.`,
  args: Args.none,
  flags: Options.all({
    tap,
    address: Options.text("address").pipe(Options.withPseudoName("IPV4"), Options.withDescription("the machine's address; none of banger's network"), as(HostAddress)),
    json
  }),
  json: RULES,
  examples: [EXAMPLE, `${EXAMPLE} --json`],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const name = yield* needed("--tap", flags.tap, EXAMPLE)
      const address = yield* needed("--address", flags.address, EXAMPLE)
      const rules = yield* askRoot(["internal", "nat", "up", "--tap", name, "--address", address], TapNat)
      yield* flags.json ? printJson(RULES, rules) : print(`${address} behind ${name} reaches the world: nft table ${rules.table}, iptables chain ${rules.chain}\n`)
      return 0
    })
})
