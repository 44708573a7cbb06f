/** Runs test tiers one after the other and closes with one line over all of them: `N passed, N failed`. */
import { spawnSync } from "node:child_process"
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

const vitest = (name: string, args: ReadonlyArray<string>): Count => {
  const file = path.join(results, `${name}.json`)
  const { status } = spawnSync("npx", ["vitest", "run", "--reporter=verbose", "--reporter=json", `--outputFile=${file}`, ...args], { stdio: "inherit" })
  if (!fs.existsSync(file)) return { passed: 0, failed: 1, failures: [failure(name, "vitest left no report")] }
  const report: Report = JSON.parse(fs.readFileSync(file, "utf8"))
  // A suite that could not even be loaded fails no test: the exit status tells.
  const failed = Math.max(report.numFailedTests, status === 0 && report.numTotalTests > 0 ? 0 : 1)
  return { passed: report.numPassedTests, failed, failures: failuresOf(report) }
}

const goTests = (): Count => {
  const { status, stdout } = spawnSync("go", ["test", "-json", "./..."], { cwd: "native", stdio: ["ignore", "pipe", "inherit"], encoding: "utf8", maxBuffer: 1 << 28 })
  const events = stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line))
  const ended = (action: string) => events.filter((event) => event.Action === action && event.Test !== undefined)
  const failures = ended("fail").map(({ Package, Test }) => `FAILED ${Package} ${Test}\n${events.filter((event) => event.Test === Test && event.Output).map((event) => event.Output).join("")}`)
  return { passed: ended("pass").length, failed: Math.max(ended("fail").length, status === 0 ? 0 : 1), failures }
}

/**
 * What hostvm says when the emulated machine itself is gone, banger of a guest whose processor fell over at its start, and
 * diagnose.ts when one was lost later: no fault of banger's.
 */
const HOST_VM_DIED = /hostvm: the host VM \S+ (does not answer|is dead)|KVM_EXIT_SHUTDOWN|the emulated processor lost a guest/

/** How often a file may meet it: emulated nested virtualization kills the host's kernel, or a guest, a few times an hour. */
const ATTEMPTS = 8

/** A file of a host tier, again when the host VM itself died in it; each time is printed. */
const hostFile = (tier: string, file: string): Count => {
  const label = `${tier}-${file}`
  const report = path.join(results, `${label}.json`)
  for (let attempt = 1; ; attempt++) {
    const count = vitest(label, ["--config", "vitest.host.config.ts", "--bail=1", `test/${tier}/${file}`])
    if (count.failed === 0 || attempt === ATTEMPTS || !fs.existsSync(report) || !HOST_VM_DIED.test(fs.readFileSync(report, "utf8"))) return count
    process.stdout.write(`the host VM died, or took a guest along, in ${file}, attempt ${attempt} of ${ATTEMPTS}: run again\n`)
    fs.rmSync(report)
  }
}

/** The host VM with this build, at its checkpoint; each file starts from there. A host that cannot be had fails the tier. */
const hostTier = (name: string): Count => {
  if (spawnSync("./test/hostvm/hostvm", ["up"], { stdio: "inherit" }).status !== 0) return { passed: 0, failed: 1, failures: [failure(name, "no host VM: see above")] }
  const files = fs.readdirSync(`test/${name}`).filter((file) => file.endsWith(".test.ts")).toSorted()
  return sum(files.map((file) => hostFile(name, file)))
}

const TIERS: Record<string, () => Count> = {
  fast: () => {
    return sum([vitest("fast", []), goTests()])
  },
  e2e: () => hostTier("e2e"),
  faults: () => hostTier("faults")
}

const counts = process.argv.slice(2).map((tier) => {
  const run = TIERS[tier]
  if (run === undefined) throw new Error(`unknown tier ${tier}: ${Object.keys(TIERS).join(", ")}`)
  const began = Date.now()
  const count = run()
  process.stdout.write(`tier ${tier}: ${count.passed} passed, ${count.failed} failed in ${seconds(Date.now() - began)}\n`)
  return count
})
fs.rmSync(results, { recursive: true })
const total = sum(counts)
process.stdout.write(total.failures.map((text) => `${text}\n`).join(""))
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
