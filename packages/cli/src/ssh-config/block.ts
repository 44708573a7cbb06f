/** The lines of banger in a configuration of ssh: between two marks, at its beginning. */

const BEGIN = "# >>> banger: written by banger ssh-config --install, removed by --uninstall >>>"
const END = "# <<< banger <<<"

/** A block whose marks are not a pair: somebody has edited it, and nobody can tell where it ends. */
export class Unpaired extends Error {}

/** A text without its block: what stands before the block, and what behind it, which is all of a text that has none. */
const around = (text: string): { readonly before: string; readonly after: string } => {
  const [begin, ...moreBegins] = [...text.matchAll(/^# >>> banger: .*\r?\n?/gm)]
  const [end, ...moreEnds] = [...text.matchAll(/^# <<< banger <<<\r?\n?/gm)]
  if (begin === undefined && end === undefined) return { before: "", after: text }
  if (begin === undefined || end === undefined || end.index < begin.index || moreBegins.length + moreEnds.length > 0) throw new Unpaired()
  return { before: text.slice(0, begin.index), after: text.slice(end.index + end[0].length) }
}

/**
 * The text with a block of these lines, in place of one that is there. The block comes first: behind a Host or a Match line an
 * Include would be part of what that line is about.
 */
export const withBlock = (text: string, lines: string): string => {
  const { after, before } = around(text)
  return `${BEGIN}\n${lines}${END}\n${before}${after}`
}

export const withoutBlock = (text: string): string => {
  const { after, before } = around(text)
  return `${before}${after}`
}
