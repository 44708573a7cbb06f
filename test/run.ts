/** Runs test tiers one after the other and closes with one line over all of them: `N passed, N failed`. */
import { spawn, type SpawnOptions } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

interface Count {
  passed: number
  failed: number
  /** What failed and why, a few lines each: said again at the end, where a long log is read. */
  failures: ReadonlyArray<string>
}

/** What is read here of vitest's JSON report. */
interface Report {
  numFailedTests: number
  numPassedTests: number
  numTotalTests: number
  testResults: ReadonlyArray<{ name: string; status: string; message: string; assertionResults: ReadonlyArray<{ fullName: string; status: string; failureMessages: ReadonlyArray<string> }> }>
}

const results = fs.mkdtempSync(path.join(os.tmpdir(), "banger-results-"))

const sum = (counts: ReadonlyArray<Count>): Count => ({
  passed: counts.reduce((total, { passed }) => total + passed, 0),
  failed: counts.reduce((total, { failed }) => total + failed, 0),
  failures: counts.flatMap(({ failures }) => failures)
})

/** A failure's name and the first lines of its reason. */
const failure = (name: string, reason: string) => `FAILED ${name}: ${reason.split("\n").slice(0, 6).join("\n  ").slice(0, 800)}`

const failuresOf = ({ testResults }: Report) =>
  testResults.flatMap(({ assertionResults, message, name, status }) => {
    const tests = assertionResults.filter((test) => test.status === "failed").map((test) => failure(test.fullName, test.failureMessages.join("\n")))
    return status === "failed" && tests.length === 0 ? [failure(path.basename(name), message)] : tests
  })

/** Milliseconds to a readable duration. */
const seconds = (ms: number) => `${(ms / 1000).toFixed(0)} s`

/** Gives way to the host VM's install, which takes longer than what runs beside it. */
const niced = (command: string, args: ReadonlyArray<string>, options: SpawnOptions) => spawn("nice", ["-n", "10", command, ...args], options)

/** Runs vitest, with its output on ours, or held back until the end where several run at a time. */
const vitest = async (name: string, args: ReadonlyArray<string>, lane?: string): Promise<Count> => {
  const file = path.join(results, `${name}.json`)
  const child = niced("npx", ["vitest", "run", "--reporter=verbose", "--reporter=json", `--outputFile=${file}`, ...args], {
    stdio: ["ignore", lane === undefined ? "inherit" : "pipe", lane === undefined ? "inherit" : "pipe"],
    env: { ...process.env, ...(lane !== undefined && { BANGER_HOSTVM: lane }) }
  })
  const output: Array<Buffer> = []
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => void output.push(chunk))
  const [status] = await once(child, "close")
  process.stdout.write(Buffer.concat(output))
  if (!fs.existsSync(file)) return { passed: 0, failed: 1, failures: [failure(name, "vitest left no report")] }
  const report: Report = JSON.parse(fs.readFileSync(file, "utf8"))
  // A suite that could not even be loaded fails no test: the exit status tells.
  const failed = Math.max(report.numFailedTests, status === 0 && report.numTotalTests > 0 ? 0 : 1)
  return { passed: report.numPassedTests, failed, failures: failuresOf(report) }
}

const goTests = async (): Promise<Count> => {
  const child = niced("go", ["test", "-json", "./..."], { cwd: "native", stdio: ["ignore", "pipe", "inherit"] })
  const output: Array<Buffer> = []
  child.stdout?.on("data", (chunk: Buffer) => void output.push(chunk))
  const [status] = await once(child, "close")
  const stdout = Buffer.concat(output).toString("utf8")
  const events = stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line))
  const ended = (action: string) => events.filter((event) => event.Action === action && event.Test !== undefined)
  const failures = ended("fail").map(({ Package, Test }) => `FAILED ${Package} ${Test}\n${events.filter((event) => event.Test === Test && event.Output).map((event) => event.Output).join("")}`)
  return { passed: ended("pass").length, failed: Math.max(ended("fail").length, status === 0 ? 0 : 1), failures }
}

/** Types, lint and the like, as one test; what they say is on our output. */
const checks = async (): Promise<Count> => {
  const [status] = await once(niced("make", ["check"], { stdio: ["ignore", "inherit", "inherit"] }), "close")
  return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, failures: status === 0 ? [] : [failure("make check", `exit status ${status}, see above`)] }
}

/**
 * What hostvm says when the emulated machine itself is gone, banger of a guest whose processor fell over at its start, and
 * diagnose.ts when one was lost later: no fault of banger's.
 */
const HOST_VM_DIED = /hostvm: the host VM \S+ (does not answer|is dead)|KVM_EXIT_SHUTDOWN|the emulated processor lost a guest/

/** How often a file may meet it: with two emulated processors it did a few times an hour, with one in three whole runs never. */
const ATTEMPTS = 3

interface HostFile {
  readonly tier: string
  readonly file: string
}

const filesOf = (tier: string): ReadonlyArray<HostFile> =>
  fs.readdirSync(`test/${tier}`).filter((file) => file.endsWith(".test.ts")).map((file) => ({ tier, file }))

/** A file of a host tier, again when the host VM itself died in it; each time is printed. */
const hostFile = async ({ file, tier }: HostFile, lane: string): Promise<Count> => {
  const label = `${tier}-${file}`
  const report = path.join(results, `${label}.json`)
  for (let attempt = 1; ; attempt++) {
    const began = Date.now()
    const count = await vitest(label, ["--config", "vitest.host.config.ts", "--bail=1", `test/${tier}/${file}`], lane)
    process.stdout.write(`${tier}/${file}: ${count.passed} passed, ${count.failed} failed in ${seconds(Date.now() - began)}\n`)
    if (count.failed === 0 || attempt === ATTEMPTS || !fs.existsSync(report) || !HOST_VM_DIED.test(fs.readFileSync(report, "utf8"))) return count
    process.stdout.write(`the host VM died, or took a guest along, in ${file}, attempt ${attempt} of ${ATTEMPTS}: run again\n`)
    fs.rmSync(report)
  }
}

/** Bytes that a host VM takes, with what its tests take on this side. */
const LANE_BYTES = 5 * 2 ** 30

/** Another host than the one that everything runs on: Debian 13, with its own systemd and kernel. */
const OTHER_RELEASE = "trixie"

/** What runs there as well: an install, what everybody does, and the faults. As long as all tiers, hence only with BANGER_ALL. */
const onOther = (): ReadonlyArray<HostFile> => [{ tier: "e2e", file: "10-run.test.ts" }, ...filesOf("faults")]

const hostvm = async (lane: string, ...args: ReadonlyArray<string>): Promise<boolean> => {
  const release = lane === OTHER_RELEASE ? { BANGER_HOSTVM_RELEASE: OTHER_RELEASE } : {}
  const [status] = await once(spawn("./test/hostvm/hostvm", args, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, BANGER_HOSTVM: lane, ...release } }), "close")
  return status === 0
}

/** Files that take minutes also without BANGER_ALL, the longest first. */
const LONG = ["20-vm", "10-run", "70-guides", "faults", "60-oci", "disk", "50-system", "65-build"].map((name) => `${name}.test.ts`)
/** A file's place in the queue; the short files come last, in any order. */
const place = ({ file }: HostFile) => LONG.includes(file) ? LONG.indexOf(file) : LONG.length

/** The files of all tiers share the instances, the longest first; each starts from the checkpoint. A host that cannot be had fails the tiers. */
const hostTiers = async (tiers: ReadonlyArray<string>, up: Promise<boolean>, hostless: Promise<void>): Promise<ReadonlyMap<string, Count>> => {
  const counts = new Map<string, Count>()
  const add = (tier: string, count: Count) => counts.set(tier, sum([...(counts.has(tier) ? [counts.get(tier) as Count] : []), count]))
  if (!await up) {
    tiers.forEach((tier) => add(tier, { passed: 0, failed: 1, failures: [failure(tier, "no host VM: see above")] }))
    return counts
  }
  const waiting = tiers.flatMap(filesOf).toSorted((a, b) => place(a) - place(b))
  const work = async (lane: string) => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) add(next.tier, await hostFile(next, lane))
  }
  // An emulated instance keeps one processor busy: the second one begins when nothing else needs the other processor.
  const second = hostless.then(async () => {
    if (os.availableParallelism() === 1 || process.availableMemory() < 2 * LANE_BYTES || !await hostvm("second", "like", "default")) return
    await work("second")
    // Nobody but us knows of it: `make clean` ends the default one.
    await hostvm("second", "down")
  })
  await Promise.all([work("default"), second])
  if (process.env["BANGER_ALL"] !== undefined) {
    if (await hostvm(OTHER_RELEASE, "up")) {
      for (const next of onOther()) add(next.tier, await hostFile(next, OTHER_RELEASE))
    } else {
      add("faults", { passed: 0, failed: 1, failures: [failure(OTHER_RELEASE, "no host VM: see above")] })
    }
    await hostvm(OTHER_RELEASE, "down")
  }
  return counts
}

const HOST_TIERS = ["e2e", "faults"]
const tiers = process.argv.slice(2)
const TIERS = ["check", "fast", ...HOST_TIERS]
if (tiers.length === 0 || tiers.some((tier) => !TIERS.includes(tier))) throw new Error(`which tiers? ${TIERS.join(", ")}`)

const counts: Array<Count> = []
const told = (tier: string, count: Count, began: number) => {
  counts.push(count)
  process.stdout.write(`tier ${tier}: ${count.passed} passed, ${count.failed} failed in ${seconds(Date.now() - began)}\n`)
}

const hostlessTiers = async () => {
  const began = Date.now()
  if (tiers.includes("check")) told("check", await checks(), began)
  const unit = Date.now()
  if (tiers.includes("fast")) told("fast", sum(await Promise.all([vitest("fast", []), goTests()])), unit)
}

const onHost = tiers.filter((tier) => HOST_TIERS.includes(tier))
const began = Date.now()
// The host VM with this build, at its checkpoint: its install keeps one processor busy for minutes, beside checks and the fast tier.
const up = onHost.length > 0 ? hostvm("default", "up") : Promise.resolve(false)
const hostless = hostlessTiers()
const onHosts = onHost.length > 0 ? hostTiers(onHost, up, hostless) : undefined
await hostless
for (const [tier, count] of (await onHosts) ?? []) told(tier, count, began)
fs.rmSync(results, { recursive: true })
const total = sum(counts)
process.stdout.write(total.failures.map((text) => `${text}\n`).join(""))
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
