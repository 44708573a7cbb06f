import { type Key, keysOf } from "@banger/domain/config-file.ts"
import { OwnConfig } from "@banger/domain/config.ts"
import { HostConfig } from "@banger/domain/host-config.ts"

const row = ({ about, fallback, name, otherwise }: Key): string =>
  ["", `\`${name}\``, otherwise ?? (fallback === undefined ? "" : `\`${JSON.stringify(fallback)}\``), about, ""].join(" | ").trim().replace("|  |", "| |")

/** A page with its tables of keys made anew: the first has those of the user's file alone, the second the host's. */
export const withTables = (page: string): string => {
  const tables = [OwnConfig, HostConfig].map((schema) => `| key | default | |\n|---|---|---|\n${keysOf(schema).map(row).join("\n")}\n`)
  return page.replace(/^\| key \| default \| \|\n(?:\|.*\n)+/gm, () => tables.shift() ?? "")
}
