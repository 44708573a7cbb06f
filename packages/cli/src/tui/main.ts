/** The bundle of `banger tui`: it has a terminal when it is started (commands/host/tui.ts). */
import { launch } from "../command-line/launch.ts"
import { tui } from "./tui.ts"

launch({ run: () => tui, ownFailure: undefined }, [])
