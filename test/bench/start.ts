/**
 * How long commands take from their first instruction to their end, beside `node -e 0`, in turn, without a host VM: the command
 * as it is built, a daemon in memory, the real agent. `node test/bench/start.ts [TREE...]`: of several trees, each with its build.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

const ROUNDS = 30
const work = fs.mkdtempSync(path.join(os.tmpdir(), "banger-bench-"))

/** A process of its own, so that the daemon's work is not in this one; it says when it serves. */
const SERVER = `
const [tree, work] = process.argv.slice(1)
const { buildAgent, startAgent } = await import(tree + "/packages/cli/src/testing/agent.ts")
const { startFakeDaemon } = await import(tree + "/packages/cli/src/testing/fake-daemon.ts")
const { socket } = await startAgent(buildAgent(work))
await startFakeDaemon(work + "/bangerd.sock", socket, { consoleLog: work + "/console.log" })
console.log("serves")
`

const COMMANDS = [["--version"], ["vm", "list"], ["vm", "exec", "box", "--", "true"], ["__complete", "vm", "stop", ""]]

const serve = async (tree: string, at: string): Promise<ChildProcess> => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", SERVER, tree, at], { stdio: ["ignore", "pipe", "inherit"] })
  await once(child.stdout, "data")
  return child
}

/** Milliseconds, or nothing where the command fails: an older tree may not know it. */
const timed = (program: string, args: ReadonlyArray<string>, socket: string): number | undefined => {
  const began = performance.now()
  const { status } = spawnSync(program, args, { stdio: "ignore", env: { ...process.env, BANGER_SOCKET: socket, HOME: work } })
  return status === 0 ? performance.now() - began : undefined
}

const median = (values: ReadonlyArray<number>) => values.toSorted((one, other) => one - other)[values.length >> 1] ?? NaN

const given = process.argv.slice(2)
const trees = (given.length === 0 ? ["."] : given).map((tree) => path.resolve(tree))
const servers: Array<ChildProcess> = []
try {
  const all = []
  for (const [at, tree] of trees.entries()) {
    const own = path.join(work, String(at))
    fs.mkdirSync(own)
    servers.push(await serve(tree, own))
    const bin = path.join(tree, "build/bin")
    const of = (name: string, program: string, args: ReadonlyArray<string>) => ({ tree, name, times: Array<number>(), run: () => timed(path.join(bin, program), args, path.join(own, "bangerd.sock")) })
    all.push(of("node -e 0", "node", ["-e", "0"]), ...COMMANDS.map((args) => of(`banger ${args.join(" ")}`, "banger", args)))
  }
  // The first round fills the page cache.
  const rows = all.filter(({ run }) => run() !== undefined)
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, run, times } of rows) {
      const ms = run()
      if (ms === undefined) throw new Error(`${name} failed`)
      times.push(ms)
    }
  }
  process.stdout.write("| tree | command | median, ms | least | ratio |\n|---|---|---|---|---|\n")
  for (const { name, times, tree } of rows) {
    const floor = rows.find((row) => row.tree === tree)
    process.stdout.write(`| ${path.basename(tree)} | \`${name}\` | ${median(times).toFixed(1)} | ${Math.min(...times).toFixed(1)} | ${(median(times) / median(floor?.times ?? [])).toFixed(2)} |\n`)
  }
  for (const tree of trees) process.stdout.write(`${path.basename(tree)}: banger.blob ${(fs.statSync(path.join(tree, "build/lib/banger.blob")).size / 2 ** 20).toFixed(1)} MiB\n`)
} finally {
  for (const child of servers) child.kill("SIGKILL")
  fs.rmSync(work, { recursive: true })
}
