import { Box, Text, useInput, useWindowSize } from "ink"
import { type ReactElement, useEffect, useState, useSyncExternalStore } from "react"
import { HELP, type Key, press } from "../keys.ts"
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

/** Characters that arrived together, as of fast fingers or a paste, are as many keys. Before the terminal is raw it makes newlines of Enter. */
const keysOf = (input: string, ink: Ink): ReadonlyArray<Key> => {
  const name = NAMES.find(([flag]) => ink[flag])?.[1]
  if (name !== undefined) return [{ text: "", name, ctrl: ink.ctrl }]
  return [...input].map((text) => ({ text, name: /[\r\n]/.test(text) ? "enter" : undefined, ctrl: ink.ctrl }))
}

const Body = ({ columns, now, rows, state }: { readonly state: State; readonly columns: number; readonly rows: number; readonly now: number }): ReactElement => {
  if (state.help) return <Rows title="keys" rows={rows + 1} lines={HELP.map(([keys, does]) => `  ${keys.padEnd(10)} ${does}`)} />
  if (state.prompt?._tag === "Image") {
    const { at, images } = state.prompt
    return <Rows title="a new VM of which image?" rows={rows + 1} lines={images} marked={at} />
  }
  return state.page === undefined
    ? <List state={state} columns={columns} rows={rows} now={now} />
    : <Page state={state} page={state.page} rows={rows} now={now} />
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
  useInput((input, ink) => {
    for (const key of keysOf(input, ink)) {
      const [next, wish] = press(store.get(), key, height)
      store.set(() => next)
      if (wish !== undefined) onWish(wish)
    }
  })
  if (columns < LEAST.columns || rows < LEAST.rows) {
    return <Text wrap="truncate">{`${LEAST.columns}×${LEAST.rows} are needed, here are ${columns}×${rows}; q leaves`}</Text>
  }
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Box flexDirection="column" flexGrow={1}>
        <Body state={state} columns={columns} rows={height} now={Math.max(now, state.toldAt)} />
      </Box>
      <Footer state={state} columns={columns} />
    </Box>
  )
}
