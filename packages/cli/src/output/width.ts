/** What a terminal shows of text, as far as it can be told without asking it. */

/** Whatever a terminal would obey, or what turns the direction of text around. A half of a surrogate pair is no character. */
const HARMFUL = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/gu

/** Text of guests, files and others in one line that a terminal only shows. Letters of any language stay. */
export const plain = (text: string): string => text.replaceAll(HARMFUL, "?")

const NO_COLUMN = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u

/** East Asian wide and full-width characters, and emoji. Counting one too wide costs a column; the other way round a line would wrap. */
const TWO_COLUMNS =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f000}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u

const columnsOf = (character: string): number => {
  const code = character.codePointAt(0) ?? 0
  if (code >= 0x20 && code < 0x7f) return 1
  if (NO_COLUMN.test(character)) return 0
  return TWO_COLUMNS.test(character) ? 2 : 1
}

/** Columns that a line of text takes. */
export const widthOf = (text: string): number => {
  let width = 0
  for (const character of text) width += columnsOf(character)
  return width
}

/** The text in so many columns: one that is longer is cut, and ends with `mark`. */
export const fit = (text: string, columns: number, mark: string): string => {
  if (widthOf(text) <= columns) return text
  const room = columns - widthOf(mark)
  if (room < 0) return mark.slice(0, Math.max(0, columns))
  let kept = ""
  let width = 0
  for (const character of text) {
    width += columnsOf(character)
    if (width > room) break
    kept += character
  }
  return kept + mark
}

/** The text with so many columns, as `padEnd` counts characters. */
export const padded = (text: string, columns: number): string => text + " ".repeat(Math.max(0, columns - widthOf(text)))
