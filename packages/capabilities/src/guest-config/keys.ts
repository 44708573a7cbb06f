import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Failure } from "@banger/domain/failure.ts"
import type { VmId } from "@banger/domain/ids.ts"
import { run } from "../exec.ts"
import { file, removeFile } from "../files.ts"
import { CannotRemove } from "../lease.ts"
import { vmFiles } from "../paths.ts"
import { pairOf } from "./check.ts"
import { GuestKeys, KeysFailed } from "./contract.ts"

const keyFile = (vm: VmId) => `${vmFiles(vm)}/ssh_host_ed25519_key`
const failed = (error: { readonly message: string }) => error instanceof KeysFailed ? error : new KeysFailed({ problem: error.message })

/** What a public key begins with: its type, and itself. */
const PUBLIC = /^(?:ssh|ecdsa|sk)-\S+ [A-Za-z0-9+/=]+(?:\s|$)/

/** What a guest's root is to accept: the .pub of a key of the owner's. */
const authorized = (key: string) =>
  file(`${key}.pub`, () => fs.readFile(`${key}.pub`, "utf8")).pipe(
    Effect.catchIf(({ code }) => code === "ENOENT", (gone) => {
      const verdict = pairOf(key)
      return new KeysFailed(verdict._tag === "Ready" ? { problem: gone.problem } : { problem: verdict.problem, fix: verdict.fix })
    }),
    Effect.filterOrFail(
      (text) => PUBLIC.test(text),
      () => new KeysFailed({ problem: `${key}.pub is no public key`, fix: `ssh-keygen -y -f ${key} >${key}.pub` })
    )
  )

/** `key` is the file of the private key that may log in as the guest's root. */
export const layer = (key: Effect.Effect<string, Failure>) => {
  const owners = Effect.mapError(key, ({ hint, message }) => new KeysFailed({ problem: message, ...(hint !== undefined && { fix: hint }) }))
  return Layer.succeed(GuestKeys, {
    owners,
    ensure: (vm) =>
      Effect.gen(function*() {
        if (existsSync(`${keyFile(vm)}.pub`)) return
        yield* file(keyFile(vm), async () => {
          await fs.mkdir(vmFiles(vm), { recursive: true, mode: 0o700 })
          await fs.rm(keyFile(vm), { force: true })
        })
        // ssh-keygen writes the .pub last, so its presence means that both are whole.
        yield* run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", `banger ${vm}`, "-f", keyFile(vm)])
      }).pipe(Effect.mapError(failed)),
    read: (vm) =>
      Effect.all({
        privateKey: file(keyFile(vm), () => fs.readFile(keyFile(vm), "utf8")),
        publicKey: file(keyFile(vm), () => fs.readFile(`${keyFile(vm)}.pub`, "utf8")),
        authorized: Effect.flatMap(owners, authorized)
      }).pipe(Effect.mapError(failed)),
    remove: (vm) =>
      removeFile(vmFiles(vm), [keyFile(vm), `${keyFile(vm)}.pub`]).pipe(
        Effect.mapError((error) => new CannotRemove({ what: "ssh host key", problem: error.message }))
      )
  })
}
