import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as RpcTest from "@effect/rpc/RpcTest"
import { Slot } from "@banger/domain/ids.ts"
import { CommandFailed } from "../exec.ts"
import { settings } from "../testing/settings.ts"
import { NatOps } from "./ops.ts"
import { handlersOn } from "./ops-live.ts"

it.effect("a helper on a host whose nft is missing serves, and names it when it is wanted", () =>
  Effect.scoped(Effect.gen(function*() {
    const missing = new CommandFailed({ argv: ["nft", "list"], exitCode: null, stderr: "spawn nft ENOENT" })
    const client = yield* Effect.provide(RpcTest.makeClient(NatOps), Layer.provide(handlersOn(Effect.fail(missing)), settings()))
    const refused = yield* Effect.either(client.nat.Ensure({ slot: Slot.make(2), enabled: true }))
    assert.match(Either.isLeft(refused) ? refused.left.message : "", /nat rules: nft did not run to its end: spawn nft ENOENT/)
  })))
