/**
 * What every error of banger's says for itself, wherever it is raised: its tag, which `--json` calls its kind; what failed
 * and why, in one line; and the way out, where the error knows one. Whoever hands an error on adds what was being done
 * (`stepFailed`), and nobody words it anew.
 */
export interface Failure {
  readonly _tag: string
  readonly message: string
  readonly hint?: string
}
