import * as fs from "node:fs"
import { tmpdir } from "node:os"

/** Where a test that takes `paths.ts` from here has the host's files. */
export const ELSEWHERE = fs.mkdtempSync(`${tmpdir()}/banger-host-`)

const moved = (value: unknown): unknown =>
  typeof value === "function" ? (...args: ReadonlyArray<unknown>) => moved(Reflect.apply(value, undefined, args)) : `${ELSEWHERE}${String(value)}`

/** The exports of `paths.ts`, all of them below `ELSEWHERE`. */
export const elsewhere = (paths: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(paths).map(([name, value]) => [name, moved(value)]))
