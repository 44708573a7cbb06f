/** Before a name: what the launcher keeps of the user's environment from our own Node (packaging/launcher). */
const KEPT = "BANGER_KEPT_"

/** For a bundle of ours that another Node runs: of the user's environment, what Node heeds is not for ours. */
export const withoutNodes = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(NODE|UV|OPENSSL)_/.test(name)))

/** Gives the programs that we start, git and its hooks among them, the environment that the user has. Node has read its own by now. */
export const giveBack = (environment: NodeJS.ProcessEnv): void => {
  for (const [kept, value] of Object.entries(environment)) {
    if (!kept.startsWith(KEPT)) continue
    environment[kept.slice(KEPT.length)] = value
    delete environment[kept]
  }
}
