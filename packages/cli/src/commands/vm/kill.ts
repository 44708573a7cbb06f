import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { KillSignal } from "@banger/domain/api.ts"
import { command } from "../../command-line/command.ts"
import { as } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { print } from "../../output/text.ts"
import { all, onMany } from "./many-vms.ts"
import { vmNames } from "./vm-ref.ts"

const signal = Values.written(KillSignal, (text) => {
  const name = text.toUpperCase().replace(/^SIG/, "")
  if (Schema.is(KillSignal)(name)) return name
  throw new Error(`expected one of ${KillSignal.literals.join(", ")}`)
})

/** Those that this can be done to. */
const STATES = ["running", "paused", "starting", "stopping"] as const

export default command({
  path: "vm kill",
  about: "Sends a signal to the Firecracker of VMs. KILL ends a VM at once: its guest does not write out what it holds in memory.",
  args: vmNames(STATES),
  flags: Options.all({ all, signal: Options.text("signal").pipe(Options.withAlias("s"), Options.withPseudoName("SIG"), Options.withDescription("the signal (KILL)"), as(signal)) }),
  examples: ["banger vm kill sandbox", "banger vm kill --signal TERM sandbox other"],
  run: ({ args: vms, flags }) => {
    const sent = flags.signal ?? "KILL"
    return onMany({ vms, all: flags.all, states: STATES }, { doing: "killing", json: false, verbose: false }, (daemon, { vm }) =>
      Effect.zipRight(daemon.vm.Kill({ vm, signal: sent }), print(`${vm}: sent SIG${sent}\n`)))
  }
})
