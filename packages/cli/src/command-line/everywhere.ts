/** The words of a command line that are banger's, and those that are not: `--` and what stands behind it. */
export const ownWords = (argv: ReadonlyArray<string>): readonly [own: ReadonlyArray<string>, others: ReadonlyArray<string>] => {
  const end = argv.indexOf("--")
  return end === -1 ? [argv, []] : [argv.slice(0, end), argv.slice(end)]
}

/** A flag that each command takes before `--`: prints its help. */
export const HELP = { name: "--help", short: "-h", about: "this text" } as const
/** A flag that each command takes before `--`: a long text goes to no pager. */
export const NO_PAGER = { name: "--no-pager", about: "print a long text whole" } as const
