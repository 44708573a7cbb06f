import * as Effect from "effect/Effect"
import type { Named } from "../command-line/candidates.ts"
import { Daemon, withDaemon } from "../daemon/daemon.ts"
import { print } from "../output/text.ts"
import { type Choice, offer } from "./offer.ts"

/** Whoever has pressed a key waits. */
const PATIENCE = "800 millis"

/** What a shell's script (scripts/) is told: who completes, in the first line, then the words with what they are. */
interface Reply {
  /** places: files, or words that go on behind their end. */
  readonly by: "words" | "files" | "directories" | "places" | "command"
  readonly choices: ReadonlyArray<Choice>
}

const words = (choices: ReadonlyArray<Choice>): Reply => ({ by: "words", choices })

/** Names that the daemon knows. */
const names = (of: Named) =>
  Effect.flatMap(Daemon, (daemon): Effect.Effect<ReadonlyArray<Choice>, unknown> => {
    switch (of._tag) {
      case "Vms":
        return Effect.map(daemon.vm.List(), (vms) => vms.filter(({ state }) => of.states?.includes(state) ?? true).map(({ image, name, state }) => [name, `${state}, ${image}`]))
      case "Images":
        return Effect.map(daemon.image.List(), (images) => images.map(({ files, usedBy }) => [files.name, usedBy.length === 0 ? "" : `used by ${usedBy.join(", ")}`]))
      case "Kernels":
        return Effect.map(daemon.kernel.List(), (kernels) => kernels.map(({ files }) => [files.name, files.release]))
      case "Offers":
        return Effect.map(daemon.host.Catalog({}), (offers) => offers.filter(({ kind }) => kind === of.kind).map(({ about, name }) => [name, about]))
    }
  })

/** The names, or none when the daemon cannot say them in time: whatever is wrong, a command will tell it better. */
const known = (of: Named) =>
  withDaemon(names(of)).pipe(
    Effect.timeout(PATIENCE),
    Effect.catchAllCause(() => Effect.succeed<ReadonlyArray<Choice>>([]))
  )

const replyTo = (given: ReadonlyArray<string>): Effect.Effect<Reply> => {
  const offered = offer(given)
  if (offered._tag === "Command") return Effect.succeed({ by: "command", choices: [] })
  if (offered._tag === "Choices") return Effect.succeed(words(offered.choices))
  const { of, prefix } = offered
  const taken = new Set(offered.given)
  switch (of._tag) {
    case "Files":
      return Effect.succeed({ by: "files", choices: [] })
    case "Directories":
      return Effect.succeed({ by: "directories", choices: [] })
    case "Places":
      // Files of a guest are known to none but its agent.
      return /^[a-z0-9-]+:/.test(given.at(-1) ?? "")
        ? Effect.succeed(words([]))
        : Effect.map(known({ _tag: "Vms", states: ["running"] }), (all) => ({ by: "places", choices: all.map(([name, about]) => [`${name}:`, about]) }))
    case "Words":
      return Effect.succeed(words(of.words.map((word) => [`${prefix}${word}`, ""])))
    default:
      return Effect.map(known(of), (all) => words(all.filter(([name]) => !taken.has(name)).map(([name, about]) => [`${prefix}${name}`, about])))
  }
}

/** `banger __complete WORDS...`: what may stand for the last of the words. It is asked by shells, fails never, and is in no help. */
export const complete = {
  ownFailure: undefined,
  run: (argv: ReadonlyArray<string>): Effect.Effect<number> =>
    Effect.flatMap(replyTo(argv), ({ by, choices }) =>
      Effect.as(print(`${by}\n${choices.map(([word, about]) => about === "" ? `${word}\n` : `${word}\t${about}\n`).join("")}`), 0))
}
