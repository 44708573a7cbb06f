import { Box, Text, useInput, usePaste, useWindowSize } from "ink"
import { type ReactElement, useEffect, useState, useSyncExternalStore } from "react"
import { HELP, type Key, paste, press } from "../keys.ts"
import { isUtf8, shown } from "../../output/terminal.ts"
import type { State, Wish } from "../model.ts"
import type { Store } from "../store.ts"
import { FOOT, Footer } from "./footer.tsx"
import { List } from "./list.tsx"
import { Page } from "./page.tsx"
import { Rows } from "./rows.tsx"

/** What everything is made for; below it only the terminal's size is shown. */
const LEAST = { columns: 60, rows: 15 } as const

/** Lines above the list or the log: the title and a heading. */
const HEAD = 2

/** How long the clocks that are shown may stand, milliseconds. */
const TICK = 1_000

type Ink = Parameters<Parameters<typeof useInput>[0]>[1]

const NAMES = [
  ["upArrow", "up"], ["downArrow", "down"], ["leftArrow", "left"], ["rightArrow", "right"], ["pageUp", "pageUp"], ["pageDown", "pageDown"],
  ["home", "home"], ["end", "end"], ["return", "enter"], ["escape", "escape"], ["tab", "tab"], ["backspace", "backspace"], ["delete", "backspace"]
] as const

/** A key that is held down with Alt, which arrives like Esc before it, is Esc alone: it is nobody's wish. */
const ESCAPE: Key = { text: "", name: "escape", ctrl: false }

/** Characters that arrived together, as of fast fingers, are as many keys. Before the terminal is raw it makes newlines of Enter. */
const keysOf = (input: string, ink: Ink): ReadonlyArray<Key> => {
  const name = NAMES.find(([flag]) => ink[flag])?.[1]
  if (name !== undefined) return [{ text: "", name: name === "tab" && ink.shift ? "backTab" : name, ctrl: ink.ctrl }]
  if (ink.meta) return [ESCAPE]
  return [...input].map((text) => ({ text, name: /[\r\n]/.test(text) ? "enter" : text === "\t" ? "tab" : undefined, ctrl: ink.ctrl }))
}

/** Of a window that shows nothing else: no key may act unseen. */
const leaves = ({ ctrl, text }: Key) => text === "q" || (ctrl && text === "c")

const Body = ({ columns, now, rows, state }: { readonly state: State; readonly columns: number; readonly rows: number; readonly now: number }): ReactElement => {
  if (state.help) return <Rows title="keys" columns={columns} rows={rows + 1} lines={HELP.map(([keys, does]) => `  ${(isUtf8() ? keys : keys.replace("↑ ↓", "arrows")).padEnd(10)} ${does}`)} />
  if (state.prompt?._tag === "Image") {
    const { at, images } = state.prompt
    return <Rows title="a new VM of which image?" columns={columns} rows={rows + 1} lines={images} marked={at} />
  }
  if (state.prompt?._tag === "Delete" && state.prompt.lost.length > 0) {
    return <Rows title="what would be lost" columns={columns} rows={rows + 1} lines={state.prompt.lost} />
  }
  return state.page === undefined
    ? <List state={state} columns={columns} rows={rows} now={now} />
    : <Page state={state} page={state.page} columns={columns} rows={rows} now={now} />
}

/** The whole screen. */
export const App = ({ onWish, store }: { readonly store: Store; readonly onWish: (wish: Wish) => void }): ReactElement => {
  const state = useSyncExternalStore(store.subscribe, store.get)
  const { columns, rows } = useWindowSize()
  const [now, setNow] = useState(performance.now())
  useEffect(() => {
    const clock = setInterval(() => setNow(performance.now()), TICK)
    return () => clearInterval(clock)
  }, [])
  const height = Math.max(1, rows - HEAD - FOOT)
  const fits = columns >= LEAST.columns && rows >= LEAST.rows
  useInput((input, ink) => {
    for (const key of keysOf(input, ink)) {
      const state = store.get()
      const [next, wish]: ReturnType<typeof press> = fits ? press(state, key, height) : leaves(key) ? [state, { _tag: "Quit" }] : [state]
      store.set(() => next)
      if (wish === undefined) continue
      onWish(wish)
      // What follows was meant for the session, or for the shell.
      if (wish._tag === "Ssh" || wish._tag === "Exec" || wish._tag === "Quit") return
    }
  })
  usePaste((text) => fits && store.set((before) => paste(before, text)))
  if (!fits) return <Text wrap="truncate">{shown(`${LEAST.columns}×${LEAST.rows} are needed, here are ${columns}×${rows}; q leaves`)}</Text>
  return (
    <Box flexDirection="column" height={rows}>
      <Box flexDirection="column" flexGrow={1}>
        <Body state={state} columns={columns} rows={height} now={Math.max(now, state.toldAt)} />
      </Box>
      <Footer state={state} columns={columns} />
    </Box>
  )
}
