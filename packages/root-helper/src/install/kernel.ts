import { existsSync, readFileSync } from "node:fs"
import * as fs from "node:fs/promises"
import { CommandFailed, run, UNLIMITED } from "@banger/capabilities/exec.ts"
import { file } from "@banger/capabilities/files.ts"
import { kernelFiles } from "@banger/domain/host-kernel.ts"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { InstallRecord } from "../settings.ts"

const PULL = "  banger kernel pull debian-6.1 fetches one that fits; banger kernel import --vmlinuz FILE --modules DIR takes another"

const Failure = Schema.parseJson(Schema.Struct({ error: Schema.Struct({ message: Schema.String, hint: Schema.String }) }))

/** All that a command of banger's said, which is more than one line: what failed, and what mends it. */
const said = (error: { readonly message: string }) => {
  if (!(error instanceof CommandFailed)) return error.message
  return Option.match(Schema.decodeUnknownOption(Failure)(error.stderr.trim()), {
    onNone: () => error.stderr.trim(),
    onSome: ({ error: { hint, message } }) => `${message}\n  ${hint}`
  })
}

/** Imports the running kernel as `host`, where it is not there yet. */
const imported = ({ directory, owner }: InstallRecord, release: string) =>
  Effect.gen(function*() {
    const asOwner = (argv: ReadonlyArray<string>, timeoutMs = 60_000) => run(["runuser", "-u", owner.name, "--", `${directory}/bin/banger`, ...argv], { timeoutMs })
    // The services were started a moment ago; on a slow host the first answer may take longer than a client waits.
    const known = yield* asOwner(["kernel", "list", "--json"]).pipe(Effect.retry({ times: 5, schedule: Schedule.spaced("1 second") }))
    if (known.includes(`"${release}"`)) return
    const places = kernelFiles(release)
    const vmlinuz = places.find(existsSync)
    if (vmlinuz === undefined) return yield* Console.error(`the running kernel ${release} is at none of ${places.join(", ")}\n${PULL}`)
    // Some distributions let only root read the kernel: the owner gets a copy for the length of the import.
    const copies = yield* file("/run", () => fs.mkdtemp("/run/banger-import-"))
    yield* Effect.ensuring(
      Effect.gen(function*() {
        yield* file(copies, () => fs.chmod(copies, 0o711))
        yield* run(["install", "-T", "-m", "0600", "-o", owner.name, vmlinuz, `${copies}/vmlinuz`])
        yield* asOwner(["kernel", "import", "--name", "host", "--vmlinuz", `${copies}/vmlinuz`, "--modules", `/lib/modules/${release}`], UNLIMITED)
      }),
      Effect.ignoreLogged(file(copies, () => fs.rm(copies, { recursive: true, force: true })))
    )
    yield* Console.error(`kernel ${release} is imported as host`)
  })

/** A fresh install needs no network. A kernel that cannot be imported is no reason to fail it: another may serve. */
export const hostKernel = (record: InstallRecord) => {
  const release = readFileSync("/proc/sys/kernel/osrelease", "utf8").trim()
  return Effect.catchAll(imported(record, release), (error) => Console.error(`the running kernel ${release} is not imported: ${said(error)}\n${PULL}`))
}
