import { callOf, commandsIn } from "./mentions.ts"
import { below } from "./find.ts"
import { GROUPS, SHORT, TREE } from "./tree.ts"

/** A test of the host VM, and what it says to the shell there. */
export interface HostTest {
  /** `e2e/10-run` */
  readonly file: string
  readonly name: string
  /** Whether it runs without BANGER_ALL, too. */
  readonly always: boolean
  readonly scripts: ReadonlyArray<string>
}

/** What no test of the host VM runs, and why. */
export const NOT_RUN: ReadonlyMap<string, string> = new Map()

const INTRO = `# What the tests run

Each command and flag with a test that runs it in the host VM, the first of several, and one of every run before one of \`BANGER_ALL=1\` alone (*all*). Tests of what is refused do not count.
Made of the commands' own declarations and of what stands in \`test/e2e\`, \`test/faults\` and the guides (\`make docs\`); a test of the fast tier holds it against them, and finds what nothing runs.
That a test runs something is not all: what it asserts is said by its name, and what every command prints and refuses is tested in the fast tier (\`packages/cli\`).
`

/** Everything that can be typed, in the order of the help: `vm run`, `vm run --rm`, and `run` for the short form. */
export const typeable = (): ReadonlyArray<string> => [...TREE].flatMap(([path, { command }]) => [path, ...command.flags.flatMap(({ names }) => names.map((name) => `${path} --${name}`))]).concat([...SHORT.keys()])

/** The same of what a test's scripts call. */
const called = ({ scripts }: HostTest): ReadonlySet<string> =>
  new Set(scripts.flatMap(commandsIn).flatMap((words) => {
    const call = callOf(words)
    if (call === undefined) return []
    const { command: { path } } = call.entry
    return [path, ...call.flags.map((flag) => `${path} --${flag}`), ...(SHORT.has(words[0] ?? "") ? [words[0] ?? ""] : [])]
  }))

/** The test to name for each thing that one runs: one that does more than be refused, and if there is one in every run. */
export const testOf = (tests: ReadonlyArray<HostTest>): ReadonlyMap<string, HostTest> => {
  const found = new Map<string, HostTest>()
  const done = tests.filter(({ name }) => !name.startsWith("refuses "))
  for (const test of [...done.filter(({ always }) => always), ...done]) {
    for (const what of called(test)) if (!found.has(what)) found.set(what, test)
  }
  return found
}

const cell = (text: string) => text.replaceAll("|", "\\|")

/** docs/tested.md. */
export const testedDoc = (tests: ReadonlyArray<HostTest>): string => {
  const found = testOf(tests)
  const row = (what: string, shown: string): string => {
    const test = found.get(what)
    const by = test === undefined ? `not run: ${NOT_RUN.get(what) ?? "nobody says why"}` : `${test.file}: ${test.name}${test.always ? "" : " (*all*)"}`
    return `| ${shown} | ${cell(by)} |\n`
  }
  const rows = (paths: ReadonlyArray<readonly [path: string, summary: string]>) =>
    paths.flatMap(([path]) => [row(path, `**${path}**`), ...(TREE.get(path)?.command.flags ?? []).flatMap(({ names }) => names.map((name) => row(`${path} --${name}`, `\`--${name}\``)))]).join("")
  const section = (title: string, body: string) => `## ${title}\n| | run by |\n|---|---|\n${body}`
  return [
    INTRO,
    ...[...GROUPS].map(([group, { title }]) => section(title, rows(below(group)))),
    section("Host", rows(below(""))),
    section("Short forms", [...SHORT].map(([word, { command }]) => row(word, `**${word}** (${command.path})`)).join(""))
  ].join("\n")
}
