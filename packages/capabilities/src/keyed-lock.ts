import * as Effect from "effect/Effect"

/** One lock a key, made when first wanted and forgotten when nobody holds or waits for it. */
export const makeKeyedLock = (): (key: string) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> => {
  const locks = new Map<string, { readonly semaphore: Effect.Semaphore; users: number }>()
  return (key) => (work) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const lock = locks.get(key) ?? { semaphore: Effect.unsafeMakeSemaphore(1), users: 0 }
        lock.users += 1
        locks.set(key, lock)
        return lock
      }),
      ({ semaphore }) => semaphore.withPermits(1)(work),
      (lock) =>
        Effect.sync(() => {
          lock.users -= 1
          if (lock.users === 0) locks.delete(key)
        })
    )
}
