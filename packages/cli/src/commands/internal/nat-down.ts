import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { TapNat } from "@banger/domain/tap-nat.ts"
import { command } from "../../command-line/command.ts"
import { json, needed } from "../../command-line/options.ts"
import { askRoot } from "../../host/root-bundle.ts"
import { print, printJson } from "../../output/text.ts"
import { RULES, tap } from "./tap.ts"

const EXAMPLE = "sudo banger internal nat down --tap tap0"

export default command({
  path: "internal nat down",
  about: "Removes the rules that up has made for a TAP, whether that is still there or not. Safe to repeat.",
  args: Args.none,
  flags: Options.all({ tap, json }),
  json: RULES,
  examples: [EXAMPLE],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const name = yield* needed("--tap", flags.tap, EXAMPLE)
      const rules = yield* askRoot(["internal", "nat", "down", "--tap", name], TapNat)
      yield* flags.json ? printJson(RULES, rules) : print(`${name} has no rules of banger's\n`)
      return 0
    })
})
