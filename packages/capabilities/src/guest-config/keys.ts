import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { VmId } from "@banger/domain/ids.ts"
import { run } from "../exec.ts"
import { file, removeFile } from "../files.ts"
import { CannotRemove } from "../lease.ts"
import { vmFiles } from "../paths.ts"
import { GuestKeys, KeysFailed } from "./contract.ts"

const keyFile = (vm: VmId) => `${vmFiles(vm)}/ssh_host_ed25519_key`
const failed = (error: { readonly message: string }) => new KeysFailed({ problem: error.message })

/** `publicKey` is the owner's: the key that may log in as the guest's root. */
export const layer = (publicKey: string) =>
  Layer.succeed(GuestKeys, {
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
        authorized: file(publicKey, () => fs.readFile(publicKey, "utf8"))
      }).pipe(Effect.mapError(failed)),
    remove: (vm) =>
      removeFile(vmFiles(vm), [keyFile(vm), `${keyFile(vm)}.pub`]).pipe(
        Effect.mapError((error) => new CannotRemove({ what: "ssh host key", problem: error.message }))
      )
  })
