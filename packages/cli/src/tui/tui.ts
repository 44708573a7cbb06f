import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { withDaemon } from "../daemon/daemon.ts"
import { failureOf } from "../failure/failure.ts"
import { program } from "../host/paths.ts"
import type { Signal } from "../host/signals.ts"
import { attached } from "../session/ssh.ts"
import { act } from "./act.ts"
import type { Wish } from "./model.ts"
import { news } from "./news.ts"
import { screen } from "./screen.tsx"
import { makeStore, type Store } from "./store.ts"

type Session = Extract<Wish, { readonly _tag: "Ssh" | "Exec" }>

/** The process was stopped and goes on: whoever had the terminal meanwhile has drawn on it. */
const CONTINUED = { _tag: "Continued" } as const

/** Waits for Enter, by a program: the next screen gets its keys from a standard input that nobody has read otherwise. */
const enter = (status: number) => attached("/bin/sh", ["-c", 'printf "\\n[status %s; enter goes back]" "$1"; read -r _', "sh", String(status)])

/** A signal that comes while a session has the terminal is the session's first, and then ours as well. */
const heeded = <A, E, R>(session: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const seen: Array<Signal> = []
      const listeners = (["SIGTERM", "SIGHUP"] as const).map((signal) => [signal, () => void seen.push(signal)] as const)
      for (const [signal, listener] of listeners) process.on(signal, listener)
      return { seen, listeners }
    }),
    ({ seen }) => Effect.tap(session, () => {
      const [signal] = seen
      return signal === undefined ? Effect.void : Effect.zipRight(Effect.sync(() => process.kill(process.pid, signal)), Effect.never)
    }),
    ({ listeners }) => Effect.sync(() => {
      for (const [signal, listener] of listeners) process.off(signal, listener)
    })
  )

/** A session in a VM, on the terminal that the screen has left. The VM is named by its id, since another may have its name by now. */
const outside = (store: Store, wish: Session) =>
  Effect.gen(function*() {
    const { id, name } = wish.vm
    const status = yield* heeded(attached(program("banger"), wish._tag === "Ssh" ? ["vm", "ssh", id] : ["vm", "exec", id, "--", "/bin/sh", "-c", wish.command]))
    // The lines of a command, or of a failure, are read to their end before the screen comes back.
    if (wish._tag === "Exec" || status !== 0) yield* heeded(enter(status))
    store.set((state) => ({ ...state, message: `${wish._tag === "Ssh" ? "ssh" : "the command"} in ${name} ended with status ${status}` }))
  }).pipe(Effect.catchAll((error) => Effect.sync(() => store.set((state) => ({ ...state, message: failureOf(error) })))))

/** Takes wishes while the screen is there, up to the first one that needs the terminal or the end. What is under way goes on. */
const shown = (store: Store, wishes: Queue.Queue<Wish | typeof CONTINUED>) =>
  Effect.scoped(Effect.gen(function*() {
    // Keys that were pressed before this screen was there were not meant for it.
    yield* Queue.takeAll(wishes)
    const tell = (wish: Wish | typeof CONTINUED) => void Queue.unsafeOffer(wishes, wish)
    const broken = yield* screen(store, tell)
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const continued = () => tell(CONTINUED)
        process.on("SIGCONT", continued)
        return continued
      }),
      (continued) => Effect.sync(() => void process.off("SIGCONT", continued))
    )
    for (;;) {
      const wish = yield* Effect.raceFirst(Queue.take(wishes), broken)
      if (wish._tag === "Quit" || wish._tag === "Ssh" || wish._tag === "Exec" || wish._tag === "Continued") return wish
      yield* Effect.forkDaemon(act(store, wish))
    }
  }))

/** The screen of `banger tui`, until somebody leaves it. */
export const tui: Effect.Effect<number, unknown> = withDaemon(Effect.scoped(Effect.gen(function*() {
  const store = makeStore()
  const wishes = yield* Queue.unbounded<Wish | typeof CONTINUED>()
  yield* Effect.forkScoped(news(store))
  for (;;) {
    const wish = yield* shown(store, wishes)
    if (wish._tag === "Quit") return 0
    if (wish._tag !== "Continued") yield* outside(store, wish)
  }
})))
