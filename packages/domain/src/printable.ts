/** Text from a guest that may end up on a terminal: printable ASCII, and not much of it. */
export const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 300)
