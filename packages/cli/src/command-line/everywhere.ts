/** Flags that each command takes, before any `--`: what they are called, and what they do. */
export const HELP = { name: "--help", short: "-h", about: "this text" } as const
export const NO_PAGER = { name: "--no-pager", about: "print a long text whole" } as const
