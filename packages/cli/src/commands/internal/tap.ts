import * as Options from "@effect/cli/Options"
import { LinkName, TapNat } from "@banger/domain/tap-nat.ts"
import { one } from "../../command-line/json.ts"
import { as } from "../../command-line/options.ts"

export const tap = Options.text("tap").pipe(Options.withPseudoName("NAME"), Options.withDescription("the TAP; none of banger's own"), as(LinkName))

export const RULES = one("rules for a TAP", TapNat)
