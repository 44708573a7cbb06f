import { readdirSync, readFileSync } from "node:fs"

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, "utf8").trim()
  } catch {
    return undefined
  }
}

const blocks = (prefix: string) => readdirSync("/sys/block").filter((block) => block.startsWith(prefix))

export interface DmDevice {
  /** `major:minor`. */
  readonly number: string
  /** Has a table: one that a killed `dmsetup create` left behind has none. */
  readonly live: boolean
}

/** Every device-mapper device by name: from sysfs, without a process. */
export const dmDevices = (): ReadonlyMap<string, DmDevice> =>
  new Map(blocks("dm-").flatMap((block) => {
    const name = read(`/sys/block/${block}/dm/name`)
    const number = read(`/sys/block/${block}/dev`)
    return name === undefined || number === undefined ? [] : [[name, { number, live: read(`/sys/block/${block}/size`) !== "0" }] as const]
  }))

export interface LoopDevice {
  /** `loop3`. */
  readonly name: string
  readonly file: string
  /** It goes with its last user. */
  readonly autoclear: boolean
}

/** Every loop device that stands for a file below the directory. */
export const loopDevices = (directory: string): ReadonlyArray<LoopDevice> =>
  blocks("loop").flatMap((name) => {
    const file = read(`/sys/block/${name}/loop/backing_file`)
    return file?.startsWith(`${directory}/`) === true ? [{ name, file, autoclear: read(`/sys/block/${name}/loop/autoclear`) === "1" }] : []
  })
