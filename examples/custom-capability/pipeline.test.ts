import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { pipe } from "effect/Function"
import * as Layer from "effect/Layer"
import { type Complete, empty, GuestPatches, stage } from "@banger/capabilities/compose.ts"
import { compose } from "@banger/capabilities/guest-config/document.ts"
import { MemoryHost } from "@banger/capabilities/memory-host.ts"
import { type HostServices as Standard, pipeline as standard } from "@banger/capabilities/pipeline.ts"
import { ofLease, take } from "@banger/capabilities/testing/contract-suite.ts"
import { services, transports } from "@banger/capabilities/testing/memory-helper.ts"
import { testSpec } from "@banger/capabilities/testing/spec.ts"
import type { VmSpec } from "@banger/domain/vm.ts"
import { mailbox } from "./mailbox/live.ts"
import * as Memory from "./mailbox/memory.ts"
import { type HostServices, pipeline } from "./pipeline.ts"

const spec = testSpec()
const FILE = `estate mailbox ${spec.id}`
const SOCKET = `listener /run/banger-vm/${spec.id}/v.sock_1030`

/** What a daemon with the services `H` accepts. */
const runnable = <H>() => <P, E>(of: Complete<P, E, H>) => of

const onHost = <A, E>(objects: Set<string>, test: Effect.Effect<A, E, HostServices | GuestPatches>, of: VmSpec = spec) =>
  test.pipe(
    Effect.provideService(GuestPatches, pipeline.guest(of)),
    Effect.provide(Layer.mergeAll(services, transports["in process"], Memory.layer).pipe(Layer.provide(MemoryHost.layer(objects))))
  )

/** Takes a run, and looks at the host while the daemon is attached to it. */
const attached = (objects: ReadonlySet<string>, mode: "create" | "adopt") => {
  let seen: ReadonlyArray<string> = []
  const watched = (of: VmSpec) => Layer.effectDiscard(Effect.sync(() => { seen = [...objects] })).pipe(Layer.provideMerge(pipeline.layer(of)))
  return Effect.map(take(watched, spec, mode), (taken) => ({ ...taken, seen }))
}

describe("a pipeline with a mailbox", () => {
  it("is complete, and its type says what is missing when it is not", () => {
    runnable<HostServices>()(pipeline)
    // @ts-expect-error banger's own daemon provides no Mailboxes
    runnable<Standard>()(pipeline)
    // @ts-expect-error the mailbox listens beside the vsock, and nobody provides one
    runnable<HostServices>()(pipe(empty, stage(mailbox)))
  })

  it.effect("takes part in create, start, adoption, stop and delete", () => Effect.gen(function*() {
    const objects = new Set<string>()
    yield* onHost(objects, Effect.gen(function*() {
      yield* pipeline.provision(spec)
      assert.include([...objects], FILE)
      const started = yield* attached(objects, "create")
      assert.isTrue(Exit.isSuccess(started.exit), String(started.exit))
      assert.include(started.seen, SOCKET)
      // The daemon went away, the VM did not: what was attached is gone, and comes back with the next daemon.
      assert.notInclude([...objects], SOCKET)
      const adopted = yield* attached(objects, "adopt")
      assert.isTrue(Exit.isSuccess(adopted.exit), String(adopted.exit))
      assert.include(adopted.seen, SOCKET)
      assert.deepStrictEqual(yield* adopted.close, [])
      assert.deepStrictEqual(ofLease(objects), [])
      assert.include([...objects], FILE)
      assert.deepStrictEqual(yield* pipeline.destroy(spec), [])
      assert.strictEqual(objects.size, 0)
    }))
  }))

  it.effect("adopts a VM that banger's own daemon started", () => Effect.gen(function*() {
    const objects = new Set<string>()
    yield* onHost(objects, Effect.gen(function*() {
      yield* standard.provision(spec)
      yield* take(standard.layer, spec, "create")
      const adopted = yield* attached(objects, "adopt")
      assert.isTrue(Exit.isSuccess(adopted.exit), String(adopted.exit))
      assert.includeMembers([...adopted.seen], [FILE, SOCKET])
    }))
  }))

  it.effect("reclaims a run that nobody holds, and keeps the mailbox", () => Effect.gen(function*() {
    const objects = new Set<string>()
    yield* onHost(objects, Effect.gen(function*() {
      yield* pipeline.provision(spec)
      yield* attached(objects, "create")
      assert.deepStrictEqual(yield* pipeline.reclaim(spec), [])
      assert.deepStrictEqual(ofLease(objects), [])
      assert.include([...objects], FILE)
    }))
  }))

  it.effect("gives the guest its command, beside what the others tell it", () => Effect.gen(function*() {
    const { files, network } = yield* compose(spec, pipeline.guest(spec))
    assert.include(files.map(({ path }) => path), "/usr/local/bin/leave-message")
    assert.strictEqual(network?.address, "172.16.0.5/24")
  }))

  it("gives doctor its check", () => {
    assert.deepStrictEqual(
      pipeline.checks.slice(standard.checks.length).map(({ capability, name }) => `${capability}: ${name}`),
      ["mailbox: directory"]
    )
  })

  it.effect("refuses a VM whose options it does not understand, by key", () => Effect.gen(function*() {
    for (const [extra, said] of [
      [{ mailbox: { maxBytes: 12 } }, "extra.mailbox: maxBytes: expected 1024 to 1048576 bytes"],
      [{ mailbox: { size: 12 } }, 'extra.mailbox: size: is unexpected, expected: "maxBytes"']
    ] as const) {
      const wrong = testSpec({ extra })
      const error = yield* onHost(new Set(), Effect.flip(pipeline.provision(wrong)), wrong)
      assert.strictEqual(error.message, said)
    }
    yield* onHost(new Set(), pipeline.provision(testSpec({ extra: { mailbox: { maxBytes: 2_048 } } })))
  }))
})
