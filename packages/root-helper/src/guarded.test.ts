import { assert, describe, it } from "@effect/vitest"
import { HelperOps } from "@banger/capabilities/helper.ts"
import { OpKind } from "@banger/capabilities/op-kind.ts"
import * as Context from "effect/Context"
import * as AST from "effect/SchemaAST"

/** Names of the fields of a payload. */
const fields = (ast: AST.AST) => AST.getPropertySignatures(AST.typeAST(ast)).map(({ name }) => String(name))

describe("the helper's operations", () => {
  it("each says what it changes, by a field that it has", () => {
    for (const [tag, rpc] of HelperOps.requests) {
      const { changes } = Context.unsafeGet(rpc.annotations, OpKind)
      if (changes === "nothing" || changes === "everything") continue
      assert.include(fields(rpc.payloadSchema.ast), changes, tag)
    }
  })

  it("what is about a VM or a slot and changes it is guarded by that", () => {
    for (const [tag, rpc] of HelperOps.requests) {
      const { changes } = Context.unsafeGet(rpc.annotations, OpKind)
      if (changes === "nothing") continue
      const has = fields(rpc.payloadSchema.ast)
      if (has.includes("vm")) assert.strictEqual(changes, "vm", tag)
      else if (has.includes("slot")) assert.strictEqual(changes, "slot", tag)
    }
  })

  it("nothing that is asked before an operation, or by df and doctor, waits for another", () => {
    for (const tag of ["helper.Hello", "helper.Leaks", "store.Facts", "store.List", "tap.List", "dm.Flush", ...[...HelperOps.requests.keys()].filter((tag) => tag.endsWith(".Facts"))]) {
      const rpc = HelperOps.requests.get(tag) ?? assert.fail(tag)
      assert.strictEqual(Context.unsafeGet(rpc.annotations, OpKind).changes, "nothing", tag)
    }
  })

  it("what copies bytes has no limit in time", () => {
    for (const tag of ["work.Ensure", "store.Ingest", "store.Extend", "store.Seal", "dm.Flush"]) {
      assert.isTrue(Context.unsafeGet((HelperOps.requests.get(tag) ?? assert.fail(tag)).annotations, OpKind).lasting, tag)
    }
  })
})
