import * as Effect from "effect/Effect"
import { render } from "ink"
import type { Wish } from "./model.ts"
import type { Store } from "./store.ts"
import { App } from "./view/app.tsx"

/** DECAWM: a line that a terminal thinks wider than we do is cut there, and does not push the others down. */
const WRAP = { off: "\x1b[?7l", on: "\x1b[?7h" } as const

/**
 * Has the terminal until the scope closes: the alternate screen, which leaves what was there before as it was, and every key. Gives
 * what fails when the drawing does.
 */
export const screen = (store: Store, onWish: (wish: Wish) => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      // What is drawn begins in the first column, wherever the shell's cursor is.
      process.stdout.write(`\r${WRAP.off}`)
      // Told so, ink draws on a terminal also where CI is set.
      return render(<App store={store} onWish={onWish} />, { alternateScreen: true, interactive: true, isScreenReaderEnabled: false, exitOnCtrlC: false, patchConsole: false, incrementalRendering: true })
    }),
    (app) => Effect.promise(async () => {
      app.unmount()
      await app.waitUntilExit().catch(() => {})
      process.stdout.write(WRAP.on)
      // What is typed from here on is for whoever has the terminal next. Only a stream that flows can be told to stop reading.
      process.stdin.resume()
      process.stdin.pause()
    })
  ).pipe(Effect.map((app) => Effect.zipRight(Effect.tryPromise({ try: () => app.waitUntilExit(), catch: (error) => error }), Effect.never)))
