import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { START, type State } from "./model.ts"

/** The one state of the screen: it is changed from the keys and from the daemon's news alike. */
export interface Store {
  readonly get: () => State
  readonly set: (change: (state: State) => State) => void
  /** Calls the listener after each change, until the function that comes back is called. */
  readonly subscribe: (listener: () => void) => () => void
}

export const makeStore = (): Store => {
  let state = START
  const listeners = new Set<() => void>()
  return {
    get: () => state,
    set: (change) => {
      state = change(state)
      for (const listener of listeners) listener()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    }
  }
}

/** A part of the state, now and whenever it has changed. */
export const changesOf = <A>(store: Store, part: (state: State) => A): Stream.Stream<A> =>
  Stream.asyncPush<A>((emit) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const tell = () => void emit.single(part(store.get()))
        tell()
        return store.subscribe(tell)
      }),
      (leave) => Effect.sync(leave)
    )).pipe(Stream.changes)
