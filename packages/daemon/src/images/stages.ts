/** A part of a script, which a build that failed need not run again. */
export interface Stage {
  /** As its step is shown. */
  readonly name: string
  readonly script: string
}

const MARK = /^# stage: (.*\S)[ \t]*$/m

/** A script's stages. What stands before the first mark (functions, settings) is part of each; a script without marks is one. */
export const stagesOf = (script: string): ReadonlyArray<Stage> => {
  const [head = "", ...parts] = script.split(MARK)
  if (parts.length === 0) return [{ name: "script", script }]
  return parts.flatMap((name, at) => at % 2 === 0 ? [{ name: `stage ${name}`, script: `${head}${parts[at + 1] ?? ""}` }] : [])
}
