import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { vi } from "vitest"

const moved = (value: unknown, to: string): unknown =>
  typeof value === "function" ? (...args: ReadonlyArray<unknown>) => moved(Reflect.apply(value, undefined, args), to) : `${to}${String(value)}`

/**
 * Loads modules that have the host's files in a directory of their own. They are loaded anew and forgotten again, since test files
 * share the modules of a thread.
 */
export const elsewhere = async <A>(load: () => Promise<A>): Promise<A & { readonly directory: string; readonly paths: typeof import("../paths.ts") }> => {
  const directory = fs.mkdtempSync(`${tmpdir()}/banger-host-`)
  vi.resetModules()
  vi.doMock("../paths.ts", async (original) =>
    Object.fromEntries(Object.entries(await original<object>()).map(([name, value]) => [name, moved(value, directory)])))
  const paths = await import("../paths.ts")
  if (!paths.STATE.startsWith(directory)) throw new Error("these modules would change the host's own files")
  const loaded = await load()
  vi.doUnmock("../paths.ts")
  vi.resetModules()
  return { ...loaded, directory, paths }
}
