import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { KillSignal } from "@banger/domain/api.ts"
import { command, several } from "../../command-line/command.ts"
import * as Flags from "../../command-line/flags.ts"
import { all, onMany } from "./many-vms.ts"
import { print } from "../../output/text.ts"

const signal: Flags.Decode<KillSignal> = (text) => {
  const name = text.toUpperCase().replace(/^SIG/, "")
  if (Schema.is(KillSignal)(name)) return name
  throw new Error(`expected one of ${KillSignal.literals.join(", ")}`)
}

export default command({
  path: "vm kill",
  about: "Sends a signal to the Firecracker of VMs. KILL ends a VM at once: its guest does not write out what it holds in memory.",
  arguments: several("NAME..."),
  flags: { all, signal: Flags.value("SIG", "the signal (KILL)", signal, "s") },
  examples: ["banger vm kill sandbox", "banger vm kill --signal TERM sandbox other"],
  run: ({ args, flags }) => {
    const sent = flags.signal ?? "KILL"
    return onMany({ args, all: flags.all, states: ["running", "paused", "starting", "stopping"] }, (daemon, vm) =>
      Effect.zipRight(daemon.vm.Kill({ vm, signal: sent }), print(`${vm}: sent SIG${sent}\n`)))
  }
})
