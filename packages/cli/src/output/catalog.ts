import { Image, Kernel } from "@banger/domain/catalog.ts"
import { array, one } from "../command-line/json.ts"
import { ago } from "./units.ts"

export const IMAGE = one("image", Image)
export const IMAGES = array("image", Image)
export const KERNEL = one("kernel", Kernel)
export const KERNELS = array("kernel", Kernel)

/** When something was made: how long ago for whoever looks on, the day for a pipe or a file. */
export const since = (ms: number): string => process.stdout.isTTY === true ? ago(Date.now() - ms) : new Date(ms).toISOString().slice(0, 10)
export const users = (names: ReadonlyArray<string>): string => names.length === 0 ? "-" : names.join(", ")
