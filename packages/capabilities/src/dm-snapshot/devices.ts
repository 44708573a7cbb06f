import { readdirSync, readFileSync } from "node:fs"

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, "utf8").trim()
  } catch {
    return undefined
  }
}

/** Every device-mapper device by name, with its `major:minor`: from sysfs, without a process. */
export const dmDevices = (): ReadonlyMap<string, string> => {
  const devices = readdirSync("/sys/block").filter((block) => block.startsWith("dm-")).flatMap((block) => {
    const name = read(`/sys/block/${block}/dm/name`)
    const number = read(`/sys/block/${block}/dev`)
    return name === undefined || number === undefined ? [] : [[name, number] as const]
  })
  return new Map(devices)
}
