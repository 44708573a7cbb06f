import { Box, Text } from "ink"
import type { ReactElement } from "react"
import type { Failure } from "../../failure/failure.ts"
import { isUtf8, shown } from "../../output/terminal.ts"
import type { Prompt, State } from "../model.ts"
import { cut } from "./rows.tsx"

const KEYS = "enter page  s start  x stop  r restart  c ssh  e exec  d delete  n new  / filter  ? help  q quit"
const SHORT = "s x r  c ssh  e exec  d delete  n new  / filter  ? help  q"
const PAGE = "tab next part  ↑↓ scroll  s start  x stop  r restart  c ssh  e exec  d delete  esc back"
const PAGE_SHORT = "tab next  s x r  c ssh  e exec  d delete  esc back"

const asked = (prompt: Prompt): readonly [text: string, keys: string] => {
  switch (prompt._tag) {
    case "Filter":
      return [`filter: ${prompt.text}`, "enter keeps it  esc shows all"]
    case "Command":
      return [`run in ${prompt.vm.name}: ${prompt.text}`, "enter runs it by the guest's sh  esc does not"]
    case "Delete":
      return [`delete ${prompt.vm.name}${prompt.vm.state === "running" ? ", which runs," : ""} and what is on its disks?`, "y deletes it  any other key does not"]
    case "Image":
      return ["", "↑↓ mark  enter takes it  esc does not"]
    case "Name":
      return [`name of the VM of ${prompt.image}: ${prompt.text}`, "enter creates it; without a name it gets one  esc does not"]
  }
}

const said = (message: string | Failure): readonly [line: string, hint: string] =>
  typeof message === "string" ? [message, ""] : [message.message, message.hint]

/** Lines that the footer takes. */
export const FOOT = 3

/** What was last done or is asked for, and the keys. */
export const Footer = ({ columns, state }: { readonly state: State; readonly columns: number }): ReactElement => {
  const { lost, message, page, prompt } = state
  const [whole, short] = page === undefined ? [KEYS, SHORT] : [PAGE, PAGE_SHORT]
  const keys = prompt === undefined ? (whole.length <= columns ? whole : short) : asked(prompt)[1]
  const [line, hint] = prompt === undefined ? said(lost ?? message ?? "") : [asked(prompt)[0], ""]
  const failed = prompt === undefined && typeof (lost ?? message) === "object"
  return (
    <Box flexDirection="column" height={FOOT} flexShrink={0}>
      <Text wrap={prompt === undefined ? "truncate" : "truncate-start"} {...(failed && { color: "red" })}>{prompt === undefined ? cut(line, columns) : shown(line)}{prompt === undefined || prompt._tag === "Image" || prompt._tag === "Delete" ? "" : <Text inverse> </Text>}</Text>
      <Text wrap="truncate">{cut(hint, columns)}</Text>
      <Text wrap="truncate" dimColor>{cut(isUtf8() ? keys : keys.replaceAll("↑↓", "arrows"), columns)}</Text>
    </Box>
  )
}
