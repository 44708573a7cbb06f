import { vi } from "vitest"

type Exec = typeof import("@banger/capabilities/exec.ts")

/**
 * Loads modules whose commands a test answers, each tool being where `toolPath` says. They are loaded anew and forgotten again,
 * since test files share the modules of a thread.
 */
export const withCommands = async <A>(run: (exec: Exec) => Exec["run"], toolPath: (tool: string) => string | null, load: () => Promise<A>): Promise<A> => {
  vi.resetModules()
  vi.doMock("@banger/capabilities/exec.ts", async (original) => {
    const exec = await original<Exec>()
    return { ...exec, run: run(exec) }
  })
  vi.doMock("@banger/capabilities/tool.ts", async (original) => ({ ...await original<object>(), toolPath }))
  const loaded = await load()
  vi.doUnmock("@banger/capabilities/exec.ts")
  vi.doUnmock("@banger/capabilities/tool.ts")
  vi.resetModules()
  return loaded
}
