import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { copySparse } from "./copy.ts"

describe("copySparse", () => {
  it("copies every byte, names it by its sha256, and keeps holes", async () => {
    const directory = await fs.mkdtemp(path.join(os.tmpdir(), "banger-"))
    try {
      const source = path.join(directory, "source")
      const target = path.join(directory, "target")
      const content = Buffer.concat([randomBytes(100_000), Buffer.alloc(8 << 20), randomBytes(77)])
      await fs.writeFile(source, content)
      const handle = await fs.open(source)
      const { bytes, digest } = await copySparse(handle, target)
      await handle.close()
      assert.strictEqual(bytes, content.length)
      assert.strictEqual(digest, createHash("sha256").update(content).digest("hex"))
      assert.isTrue(content.equals(await fs.readFile(target)))
      const stat = await fs.stat(target)
      assert.strictEqual(stat.mode & 0o777, 0o444)
      assert.isBelow(stat.blocks * 512, 1 << 20)
    } finally {
      await fs.rm(directory, { recursive: true })
    }
  })
})
