import { sudoCommand } from "../host/paths.ts"

/** An error as a user or a script gets it. */
export interface Failure {
  /** Stable: the error's tag in kebab case. */
  readonly kind: string
  readonly message: string
  readonly hint: string
}

/** As `--json` calls an error. */
export const kindOf = (tag: string) => tag.replace(/(?<=[A-Za-z0-9])[A-Z]/g, "-$&").toLowerCase()

/** One line, without control characters: some of the text comes from a guest. */
// oxlint-disable-next-line no-control-regex
const oneLine = (text: string) => text.trim().replace(/\s*\n\s*/g, "; ").replace(/[\x00-\x1f\x7f-\x9f]/g, "?").slice(0, 1_000)

const field = (error: unknown, name: string): string =>
  typeof error === "object" && error !== null && name in error ? String((error as Record<string, unknown>)[name]) : ""

/** As it can be typed: sudo of some distributions looks into a path of its own, without /usr/local/bin. */
export const typed = (text: string, sudos: () => string = sudoCommand): string =>
  /\bsudo banger\b/.test(text) ? text.replaceAll(/\bsudo banger\b/g, `sudo ${sudos()}`) : text

export const failureOf = (error: unknown): Failure => {
  const tag = field(error, "_tag")
  if (tag === "ParseError") {
    return {
      kind: "version-mismatch",
      message: "the daemon and this command do not understand each other: they are of different versions",
      hint: typed("sudo banger system restart")
    }
  }
  const message = oneLine(field(error, "message")) || oneLine(String(error))
  if (tag === "") return { kind: "internal", message: `internal error: ${message}`, hint: "this is a bug in banger: please report it" }
  return { kind: kindOf(tag), message, hint: typed(oneLine(field(error, "hint"))) }
}

/** Two lines at most, or one of JSON. */
export const renderFailure = (error: unknown, json: boolean): string => {
  const failure = failureOf(error)
  if (json) return `${JSON.stringify({ error: failure })}\n`
  return `banger: ${failure.message}\n${failure.hint === "" ? "" : `  ${failure.hint}\n`}`
}
