import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { degraded, restored } from "./degraded.ts"

/** As many links as the kernel follows in one path. */
const MAX_LINKS = 40

/** How often is looked where the kernel has no watch to give, milliseconds. */
const LOOK_MS = 1_000

/**
 * The directories in which a change can mean that the path leads to something else or to nothing: those that hold a link
 * on its way, the one that holds its end or, for a path that ends in nothing, the last one that exists, and the end
 * itself where it is a directory.
 */
export const onTheWay = (to: string): ReadonlyArray<string> => {
  const found = new Set<string>()
  let at = "/"
  let rest = path.resolve(to).split("/").filter((part) => part !== "")
  for (let links = 0; rest.length > 0;) {
    const [name, ...more] = rest as [string, ...ReadonlyArray<string>]
    const next = path.join(at, name)
    const stat = fs.lstatSync(next, { throwIfNoEntry: false })
    if (stat?.isSymbolicLink() === true && links++ < MAX_LINKS) {
      found.add(at)
      const target = fs.readlinkSync(next)
      if (path.isAbsolute(target)) at = "/"
      rest = [...target.split("/").filter((part) => part !== ""), ...more]
      continue
    }
    if (stat?.isDirectory() !== true) return [...found.add(at)]
    if (more.length === 0) found.add(at).add(next)
    at = next
    rest = more
  }
  return [...found]
}

/** The fix where no watch is to be had: all programs of a user share a quota. */
export const MORE_WATCHES = "end what holds many watches, an editor for instance, or raise fs.inotify.max_user_watches and fs.inotify.max_user_instances with sysctl"

/**
 * Runs `look` now, and again after each change of what the paths lead to, as long as the scope is open: files or directories
 * (then each name in it), there or not yet, through whatever links lead to them at that moment. One `look` may stand for
 * several changes, and may come without one. It must not throw.
 *
 * Never fails: where the kernel has no watch left to give (the quota is shared by all of a user's programs), `look` runs
 * once a second, until there is one.
 */
export const watched = (
  paths: ReadonlyArray<string>,
  look: () => void,
  watch: (directory: string) => fs.FSWatcher = fs.watch
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const runtime = yield* Effect.runtime<never>()
    // By inode as well: a directory of the same name may be another one by now.
    const watchers = new Map<string, fs.FSWatcher>()
    let closed = false
    const what = `watch of ${paths.join(", ")}`
    const say = Runtime.runSync(runtime)
    let pending: NodeJS.Immediate | undefined
    let timer: NodeJS.Timeout | undefined
    const end = (key: string) => {
      watchers.get(key)?.close()
      watchers.delete(key)
    }
    const soon = () => { pending ??= setImmediate(again) }
    /** Each directory that is not watched yet; fails with the first that cannot be. */
    const follow = () => {
      const wanted = new Map([...new Set(paths.flatMap(onTheWay))].map((directory) => {
        const { dev, ino } = fs.statSync(directory)
        return [[dev, ino, directory].join(" "), directory] as const
      }))
      for (const key of watchers.keys()) if (!wanted.has(key)) end(key)
      for (const [key, directory] of wanted) {
        if (watchers.has(key)) continue
        const watcher = watch(directory)
        watchers.set(key, watcher)
        watcher.on("change", (event, name) => {
          // What is said of the directory itself: it was moved or removed, and this watch sees nothing any more.
          if (event === "rename" && name === path.basename(directory)) end(key)
          soon()
        })
        watcher.on("error", () => {
          end(key)
          soon()
        })
      }
    }
    const again = () => {
      pending = undefined
      if (closed) return
      clearTimeout(timer)
      try {
        follow()
        say(restored(what))
      } catch (error) {
        timer = setTimeout(again, LOOK_MS)
        say(degraded(what, { problem: `once a second instead, since no watch is to be had: ${error instanceof Error ? error.message : String(error)}`, fix: MORE_WATCHES }))
      }
      // After the watches stand: a change from here on is told by one of them.
      look()
    }
    yield* Effect.acquireRelease(Effect.sync(again), () =>
      Effect.sync(() => {
        closed = true
        clearTimeout(timer)
        clearImmediate(pending)
        for (const key of watchers.keys()) end(key)
      }).pipe(Effect.zipRight(restored(what))))
  })
