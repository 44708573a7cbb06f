import * as fs from "node:fs"
import * as RpcTest from "@effect/rpc/RpcTest"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { vi } from "vitest"
import { Digest, Slot, VmId } from "@banger/domain/ids.ts"
import { DiskMib } from "@banger/domain/vm.ts"
import { elsewhere } from "../testing/elsewhere.ts"
import { settings } from "../testing/settings.ts"
import { synced } from "../testing/synced.ts"
import { WorkDiskOps } from "./ops.ts"

/** Requests for room on a disk: subject, bytes, directory. */
const asked: Array<readonly [string, number, string]> = []
const { directory, handlers, paths: { estate, ROOT_STATE, STORE, stored, workFile } } = await elsewhere(async () => {
  vi.doMock("../reserve.ts", async (original) => ({
    ...await original<object>(),
    keepReserve: () => Effect.void,
    withinReserve: (...wanted: readonly [string, number, string]) => <A, E, R>(write: Effect.Effect<A, E, R>) => Effect.zipRight(Effect.sync(() => void asked.push(wanted)), write)
  }))
  const loaded = await import("./ops-live.ts")
  vi.doUnmock("../reserve.ts")
  return loaded
})
afterAll(() => fs.rmSync(directory, { recursive: true }))

const [seed, vm, slot] = [Digest.make("a".repeat(64)), VmId.make("0123456789abcdef"), Slot.make(2)]

// A disk is given to the VM's user, which root alone may do.
describe.skipIf(process.getuid?.() !== 0)("a work disk of a seed", () => {
  it.scoped("asks for what the seed takes, and is on the disk with its names before anybody hears of it; it only grows", () => Effect.gen(function*() {
    fs.mkdirSync(STORE, { recursive: true })
    // A mebibyte of data with a hole behind it.
    fs.writeFileSync(stored(seed), Buffer.alloc(1 << 20, "data"))
    fs.truncateSync(stored(seed), 64 << 20)
    const allocated = fs.statSync(stored(seed)).blocks * 512
    const names = yield* synced
    yield* (yield* RpcTest.makeClient(WorkDiskOps)).work.Ensure({ vm, slot, diskMib: DiskMib.make(128), seed })
    const made = fs.statSync(workFile(vm))
    assert.deepStrictEqual([made.size, made.mode & 0o777], [128 << 20, 0o600])
    assert.isBelow(made.blocks * 512, 2 << 20)
    assert.deepStrictEqual(names, [`${ROOT_STATE}/vms`, `${workFile(vm)}.new`, estate(vm)])
    // Where the file system can share blocks nothing is wanted.
    if (asked.length > 0) assert.deepStrictEqual(asked, [["work disk", allocated, ROOT_STATE]])
    // Asked for again it grows, and keeps what is in it; it never shrinks.
    fs.writeSync(fs.openSync(workFile(vm), "r+"), "written by the guest")
    for (const [diskMib, mib] of [[256, 256], [128, 256]] as const) {
      yield* (yield* RpcTest.makeClient(WorkDiskOps)).work.Ensure({ vm, slot, diskMib: DiskMib.make(diskMib), seed })
      assert.strictEqual(fs.statSync(workFile(vm)).size, mib << 20)
    }
    assert.strictEqual(fs.readFileSync(workFile(vm)).toString("latin1", 0, 20), "written by the guest")
  }).pipe(Effect.provide(handlers), Effect.provide(settings())))
})
