/** The lines of banger in a configuration of ssh: between two marks, at its beginning. */

const BEGIN = "# >>> banger: written by banger ssh-config --install, removed by --uninstall >>>"
const END = "# <<< banger <<<"

/** A block whose marks are not a pair: somebody has edited it, and nobody can tell where it ends. */
export class Unpaired extends Error {}

/** A text before, within and after the block; `within` is undefined where there is none. */
interface Parts {
  readonly before: string
  readonly within: string | undefined
  readonly after: string
}

const parts = (text: string): Parts => {
  const [begin, ...moreBegins] = [...text.matchAll(/^# >>> banger: .*\r?\n?/gm)]
  const [end, ...moreEnds] = [...text.matchAll(/^# <<< banger <<<\r?\n?/gm)]
  if (begin === undefined && end === undefined) return { before: "", within: undefined, after: text }
  if (begin === undefined || end === undefined || end.index < begin.index || moreBegins.length + moreEnds.length > 0) throw new Unpaired()
  return { before: text.slice(0, begin.index), within: text.slice(begin.index + begin[0].length, end.index), after: text.slice(end.index + end[0].length) }
}

/** The lines of the block, as they stand there; undefined where there is none. */
export const blockOf = (text: string): string | undefined => parts(text).within

/**
 * The text with a block of these lines, in place of one that is there. The block comes first: behind a Host or a Match line an
 * Include would be part of what that line is about.
 */
export const withBlock = (text: string, lines: string): string => {
  const { after, before } = parts(text)
  return `${BEGIN}\n${lines}${END}\n${before}${after}`
}

export const withoutBlock = (text: string): string => {
  const { after, before } = parts(text)
  return `${before}${after}`
}
