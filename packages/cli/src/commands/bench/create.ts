import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { about } from "@banger/domain/about.ts"
import { command } from "../../command-line/command.ts"
import { one } from "../../command-line/json.ts"
import { as, json } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { LocalFailure } from "../../failure/errors.ts"
import { live } from "../../output/progress.ts"
import { table } from "../../output/table.ts"
import { print, printJson } from "../../output/text.ts"
import { took } from "../../output/units.ts"
import { withFreshVm } from "../../run/fresh-vm.ts"
import { ownProcess } from "../../run/own-process.ts"
import { sshdListens } from "../../session/sshd.ts"
import { createFlags, createPayload } from "../vm/create-flags.ts"

const DEFAULT_RUNS = 5

/** How long an sshd may take to listen: an image may have one that nobody starts. */
const SSH_PATIENCE = "2 minutes"

const Times = Schema.Struct({
  create_ms: Schema.Number.pipe(about("milliseconds from the request to the first answer of the guest's agent")),
  ssh_ready_ms: Schema.NullOr(Schema.Number.pipe(about("milliseconds from the request until an sshd listens in the guest; null: it has none, or none listened within 2 minutes"))),
  delete_ms: Schema.Number.pipe(about("milliseconds until nothing of the VM is left"))
})
type Times = typeof Times.Type

const BENCH = one("bench", Schema.Struct({
  image: Schema.String,
  runs: Schema.Array(Times),
  median: Times,
  p95: Times.pipe(about("the least time within which 95 of 100 runs were done; of fewer than 20 the longest"))
}))

/** The least of the values that so large a share of them does not exceed. */
export const quantile = (values: ReadonlyArray<number>, share: number): number => values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? 0

/** The median: of an even number of values what lies between the two in the middle. */
export const middle = (values: ReadonlyArray<number>): number => (quantile(values, 0.5) - quantile(values.map((value) => -value), 0.5)) / 2

const summary = (runs: ReadonlyArray<Times>, of: (values: ReadonlyArray<number>) => number): Times => {
  const ssh = runs.flatMap(({ ssh_ready_ms }) => ssh_ready_ms ?? [])
  return { create_ms: of(runs.map(({ create_ms }) => create_ms)), ssh_ready_ms: ssh.length === 0 ? null : of(ssh), delete_ms: of(runs.map(({ delete_ms }) => delete_ms)) }
}

const { autostart: _autostart, name: _name, ...vmFlags } = createFlags

export default command({
  path: "bench create",
  about: `Creates a VM, waits until its guest answers and until it takes ssh, and deletes it, one after the other, and tells how long each took.
What is measured is what vm create does: nothing is left out, and nothing is made ahead but banger's own TAPs. Where the image has to be made
first, one VM more is created, which does not count.`,
  args: Args.none,
  flags: Options.all({
    runs: Options.text("runs").pipe(Options.withPseudoName("N"), Options.withDescription(`how many (without it: ${DEFAULT_RUNS})`), as(Values.number(Schema.Int.pipe(Schema.between(1, 1000, { message: () => "expected a number from 1 to 1000" }))))),
    ...vmFlags,
    json
  }),
  json: BENCH,
  examples: ["banger bench create --runs 20 --image debian-bookworm", "banger bench create --json | jq .median.create_ms"],
  run: ({ flags }) =>
    withDaemon(Effect.gen(function*() {
      const daemon = yield* Daemon
      const had = new Set<string>((yield* daemon.image.List()).map(({ files }) => files.name))
      const runs: Array<Times> = []
      let image = ""
      const count = flags.runs ?? DEFAULT_RUNS
      while (runs.length < count) {
        const began = performance.now()
        const since = (from: number) => Math.round(performance.now() - from)
        const measured = yield* Effect.scoped(Effect.gen(function*() {
          const progress = yield* live(`run ${runs.length + 1} of ${count}`, false)
          return yield* withFreshVm({ ...createPayload({ ...flags, name: undefined, autostart: undefined }), ephemeral: ownProcess() }, progress, false, (vm) =>
            Effect.gen(function*() {
              const create_ms = since(began)
              image = vm.image
              const ssh_ready_ms = yield* sshdListens(vm).pipe(Effect.map(() => since(began)), Effect.catchTag("LocalFailure", () => Effect.succeed(null)), Effect.timeoutTo({ duration: SSH_PATIENCE, onSuccess: (ms) => ms, onTimeout: () => null }))
              return { id: vm.id, create_ms, ssh_ready_ms, deleting: performance.now() }
            }))
        }))
        if ((yield* daemon.vm.List()).some(({ id }) => id === measured.id)) {
          return yield* new LocalFailure({ problem: "a VM of the bench could not be deleted", fix: "banger vm list --all shows it" })
        }
        // The first one's time is that of its image, where that had to be made.
        if (!had.has(image)) {
          had.add(image)
          continue
        }
        runs.push({ create_ms: measured.create_ms, ssh_ready_ms: measured.ssh_ready_ms, delete_ms: since(measured.deleting) })
      }
      const result = { image, runs, median: summary(runs, middle), p95: summary(runs, (values) => quantile(values, 0.95)) }
      if (flags.json) yield* printJson(BENCH, result)
      else {
        const row = (name: string, { create_ms, delete_ms, ssh_ready_ms }: Times) => [name, took(create_ms), ssh_ready_ms === null ? "-" : took(ssh_ready_ms), took(delete_ms)]
        yield* print(table({ heading: ["RUN", "CREATE", "SSH READY", "DELETE"], rows: [...runs.map((run, at) => row(String(at + 1), run)), row("median", result.median), row("p95", result.p95)], cut: [] }))
      }
      return 0
    }))
})
