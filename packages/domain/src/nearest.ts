/** How many letters must be put in, taken out, exchanged, or swapped with the one beside them, to make one word of the other. */
const distance = (from: string, to: string): number => {
  let before: ReadonlyArray<number> = []
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (const [above, letter] of [...from].entries()) {
    const next = [above + 1]
    for (const [at, other] of [...to].entries()) {
      const swapped = above > 0 && at > 0 && letter === to[at - 1] && from[above - 1] === other
      next.push(Math.min((row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1, (row[at] ?? 0) + (letter === other ? 0 : 1), swapped ? (before[at - 1] ?? 0) + 1 : Infinity))
    }
    before = row
    row = next
  }
  return row.at(-1) ?? 0
}

/** Letters that may be wrong. */
const FAR = 2

/**
 * The words that may have been meant: those that begin so, of one letter the only one; or those that are nearest, at most two letters
 * away. A word of one or two letters is near to any other, so all of it must not be wrong.
 */
export const nearest = (given: string, known: Iterable<string>): ReadonlyArray<string> => {
  const all = [...new Set(known)]
  const lower = given.toLowerCase()
  const longer = lower === "" ? [] : all.filter((word) => word.toLowerCase().startsWith(lower))
  if (longer.length === 1 || lower.length > 1 && longer.length > 0) return longer
  const measured = all.map((word) => [word, distance(lower, word.toLowerCase())] as const)
  const least = Math.min(FAR, lower.length - 1, ...measured.map(([, far]) => far))
  return measured.flatMap(([word, far]) => far === least ? [word] : [])
}

/** The second line of an error about a word, with what else helps. */
export const meant = (words: ReadonlyArray<string>, otherwise: string): string =>
  words.length === 0 ? otherwise : `did you mean ${words.join(" or ")}? ${otherwise}`
