/** Facts of a Firecracker and its jailer, of whichever path: root runs both. */
import { realpathSync } from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { changeableByOthers, version } from "../tool.ts"
import { linkerOf } from "./machine-facts.ts"
import type { FirecrackerFacts } from "./ops.ts"

export interface Programs {
  readonly firecracker: string
  readonly jailer: string
}

/** Where units of ours do not look: ProtectHome= and PrivateTmp= of packaging/units. */
const HIDDEN = /^\/(?:home|root|run\/user|tmp|var\/tmp)\//

const real = (program: string): string => {
  try {
    return realpathSync(program)
  } catch {
    // Missing, which its version tells.
    return program
  }
}

/** What nobody may change but root is asked for its version: that runs it, as root. */
export const programFacts = ({ firecracker, jailer }: Programs): Effect.Effect<typeof FirecrackerFacts.Type> =>
  Effect.gen(function*() {
    const changeable = changeableByOthers(firecracker) ?? changeableByOthers(jailer)
    const ask = (program: string) => changeable === null ? version([program, "--version"]) : Effect.succeed(null)
    const [ofFirecracker, ofJailer] = [real(firecracker), real(jailer)]
    return {
      directory: path.dirname(firecracker),
      firecracker: yield* ask(firecracker),
      linker: linkerOf(firecracker),
      jailer: yield* ask(jailer),
      changeable,
      hidden: [firecracker, jailer, ofFirecracker, ofJailer].find((place) => HIDDEN.test(place)) ?? null,
      // The jailer names jails after the file that a link leads to, and banger finds processes by it.
      misnamed: path.basename(ofFirecracker) !== "firecracker" ? ofFirecracker : path.basename(ofJailer) !== "jailer" ? ofJailer : null
    }
  })
