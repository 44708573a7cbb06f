import * as Effect from "effect/Effect"
import { render } from "ink"
import type { Wish } from "./model.ts"
import type { Store } from "./store.ts"
import { App } from "./view/app.tsx"

/** Has the terminal until the scope closes: the alternate screen, which leaves what was there before as it was, and every key. */
export const screen = (store: Store, onWish: (wish: Wish) => void) =>
  Effect.acquireRelease(
    Effect.sync(() => render(<App store={store} onWish={onWish} />, { alternateScreen: true, exitOnCtrlC: false, patchConsole: false, incrementalRendering: true })),
    (app) => Effect.promise(async () => {
      app.unmount()
      await app.waitUntilExit()
      // What is typed from here on is for whoever has the terminal next. Only a stream that flows can be told to stop reading.
      process.stdin.resume()
      process.stdin.pause()
    })
  )
