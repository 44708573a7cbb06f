import type * as HelpDoc from "@effect/cli/HelpDoc"

/** The paragraphs of a text of the library's as they were written: its own printing breaks lines and puts colours into pipes, too. */
export const paragraphs = (doc: HelpDoc.HelpDoc): ReadonlyArray<string> => {
  if (doc._tag === "Sequence") return [...paragraphs(doc.left), ...paragraphs(doc.right)]
  return doc._tag === "Paragraph" && doc.value._tag === "Text" ? [doc.value.value] : []
}
