/** The command line is wrong. Needs nothing of effect, since the dispatcher throws it too. */
export class Misuse extends Error {
  readonly _tag = "Misuse"
  readonly hint: string

  constructor(message: string, hint: string) {
    super(message)
    this.hint = hint
  }
}
