/** The command that makes a file or directory root's alone. */
export const ownership = (place: string): string => `sudo chown root:root ${place} && sudo chmod go-w ${place}`
