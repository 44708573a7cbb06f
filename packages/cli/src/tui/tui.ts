import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { withDaemon } from "../daemon/daemon.ts"
import { program } from "../host/paths.ts"
import { attached } from "../session/ssh.ts"
import { act } from "./act.ts"
import type { Wish } from "./model.ts"
import { news } from "./news.ts"
import { screen } from "./screen.tsx"
import { makeStore, type Store } from "./store.ts"

type Outside = Extract<Wish, { readonly _tag: "Ssh" | "Exec" }>

/** Lines of a VM's own are read to their end before the screen comes back. */
const WAIT = 'banger=$1; shift; "$banger" "$@"; status=$?; printf "\\n[status %s; enter goes back]" "$status"; read -r _; exit "$status"'

/** A session in a VM, on the terminal that the screen has left. */
const outside = (store: Store, wish: Outside) =>
  Effect.gen(function*() {
    const banger = program("banger")
    const { name } = wish.vm
    const status = yield* wish._tag === "Ssh"
      ? attached(banger, ["vm", "ssh", name])
      : attached("/bin/sh", ["-c", WAIT, "sh", banger, "vm", "exec", name, "--", "/bin/sh", "-c", wish.command])
    const message = `${wish._tag === "Ssh" ? "ssh" : "the command"} in ${name} ended with status ${status}`
    store.set((state) => ({ ...state, message }))
  })

/** Takes wishes while the screen is there, up to the first one that needs the terminal or the end. */
const shown = (store: Store, wishes: Queue.Dequeue<Wish>, onWish: (wish: Wish) => void) =>
  Effect.scoped(Effect.gen(function*() {
    yield* screen(store, onWish)
    for (;;) {
      const wish = yield* Queue.take(wishes)
      if (wish._tag === "Quit" || wish._tag === "Ssh" || wish._tag === "Exec") return wish
      yield* Effect.forkDaemon(act(store, wish))
    }
  }))

/** The screen of `banger tui`, until somebody leaves it. */
export const tui: Effect.Effect<number, unknown> = withDaemon(Effect.scoped(Effect.gen(function*() {
  const store = makeStore()
  const wishes = yield* Queue.unbounded<Wish>()
  yield* Effect.forkScoped(news(store))
  for (;;) {
    const wish = yield* shown(store, wishes, (made) => void Queue.unsafeOffer(wishes, made))
    if (wish._tag === "Quit") return 0
    yield* outside(store, wish)
  }
})))
