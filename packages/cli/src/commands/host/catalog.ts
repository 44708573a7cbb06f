import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { Offer } from "@banger/domain/recipe.ts"
import { command } from "../../command-line/command.ts"
import { array } from "../../command-line/json.ts"
import { json } from "../../command-line/options.ts"
import { proxied } from "../../daemon/caller.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { page } from "../../output/pager.ts"
import { table } from "../../output/table.ts"
import { printJson } from "../../output/text.ts"

const OFFERS = array("offer", Offer)

export default command({
  path: "catalog",
  about: `Lists what banger image pull and banger kernel pull take by name: banger's own catalog, and those of [catalog] urls in the configuration,
which come first. Of any other container image banger image pull takes the address.`,
  args: Args.none,
  flags: Options.all({ json }),
  json: OFFERS,
  examples: ["banger catalog", "banger image pull debian-bookworm", "banger catalog --json | jq -r '.[] | select(.kind == \"kernel\").name'"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const session = yield* proxied
      const offers = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.host.Catalog({ session })))
      yield* flags.json ? printJson(OFFERS, offers) : page(table({
        heading: ["KIND", "NAME", "WHAT IT IS"],
        rows: offers.map(({ about, kind, name }) => [kind, name, about]),
        cut: ["WHAT IT IS"]
      }))
      return 0
    })
})
