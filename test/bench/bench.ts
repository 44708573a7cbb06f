/**
 * Each operation beside its floor: the same work done without banger, in the same run, on the same host, in turn. Only
 * the ratio of the medians means anything; the host VM is emulated.
 */
import { ok } from "../host.ts"

interface Row {
  readonly operation: string
  readonly floor: string
  /** Upper bound of the ratio that we want; null where there is none yet. */
  readonly goal: number | null
  readonly runs: number
  readonly measure: () => Promise<number>
  readonly measureFloor: () => Promise<number>
}

const BANGER = "/usr/local/lib/banger/current"

/** Milliseconds that a command takes in the host VM, timed there. */
const timed = (command: string, root = false) => () =>
  ok(`began=$(date +%s%N); ${command} >/dev/null 2>&1 || exit 1; echo $(( ($(date +%s%N) - began) / 1000 ))`, { root }).then((us) => Number(us) / 1000)

/** One request to the agent over the raw vsock socket, with neither banger's CLI nor its daemon. */
const RAW_ROUND_TRIP = `python3 -c '
import socket, sys, time
began = time.monotonic_ns()
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(b"CONNECT 1024\\n")
while not s.recv(1) == b"\\n": pass
s.sendall(b"GET /v1/health HTTP/1.1\\r\\nHost: guest\\r\\n\\r\\n")
s.recv(4096)
print((time.monotonic_ns() - began) / 1e6)' $(banger vm show bench --json | jq -r .vm.vsock)`

const RAW_BOOT = "/home/owner/raw-boot --build /home/owner/banger --image /srv/images/debian.ext4 --memory 256 --devices --api --runs 1"

/** Alone on the host: nothing else runs while these are measured. */
const starts: ReadonlyArray<Row> = [
  {
    operation: "create + start to agent answer",
    floor: "raw Firecracker, same kernel, initrd, disks and devices",
    goal: 1.5,
    runs: 9,
    // As the daemon measures it: from the record to the guest's word that it is ready, without the CLI's own start.
    measure: () =>
      ok(`banger vm create --name timed --memory 256 >/dev/null 2>&1 && banger vm show timed --json | jq '[.vm.startedAt, .vm.createdAt | (.[0:19] + "Z" | fromdate) * 1000 + (.[20:23] | tonumber)] | .[0] - .[1]' && banger vm delete --yes --force timed >/dev/null`).then(Number),
    measureFloor: () => ok(RAW_BOOT, { root: true }).then((line) => JSON.parse(line).ready_ms)
  }
]

/** Beside one VM, `bench`, that has come to rest. */
const commands: ReadonlyArray<Row> = [
  {
    operation: "banger --version",
    floor: "node -e 0",
    goal: null,
    runs: 7,
    measure: timed("banger --version"),
    measureFloor: timed(`${BANGER}/bin/node -e 0`)
  },
  {
    operation: "banger vm list",
    floor: "node -e 0",
    goal: null,
    runs: 7,
    measure: timed("banger vm list"),
    measureFloor: timed(`${BANGER}/bin/node -e 0`)
  },
  {
    operation: "banger vm exec bench -- true",
    floor: "raw vsock round trip",
    goal: null,
    runs: 7,
    measure: timed("banger vm exec bench -- true"),
    measureFloor: () => ok(RAW_ROUND_TRIP).then(Number)
  },
]

const quantile = (values: ReadonlyArray<number>, q: number) => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

const ms = (value: number) => `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ms`

const copied = await ok("test -x /home/owner/raw-boot && echo yes || echo no")
if (copied === "no") throw new Error("copy test/hostvm/raw-boot to /home/owner first: make bench does")

const spread = (values: ReadonlyArray<number>) => `${ms(quantile(values, 0.5))} (${ms(Math.min(...values))} to ${ms(Math.max(...values))})`

/** Prints a row and says whether its goal was missed. */
const race = async ({ floor, goal, measure, measureFloor, operation, runs }: Row): Promise<boolean> => {
  const times: Array<number> = []
  const floors: Array<number> = []
  await measure()
  for (let run = 0; run < runs; run++) {
    floors.push(await measureFloor())
    times.push(await measure())
  }
  const ratio = quantile(times, 0.5) / quantile(floors, 0.5)
  const verdict = goal === null ? "" : ratio <= goal ? `  goal ${goal}: met` : `  goal ${goal}: MISSED`
  process.stdout.write(`${operation} ${spread(times)} / ${floor} ${spread(floors)} = ${ratio.toFixed(2)}, n=${runs}${verdict}\n`)
  return verdict.endsWith("MISSED")
}

let missed = 0
for (const row of starts) if (await race(row)) missed++
// Where the time of a start goes, part by part; parts of one stage run in parallel.
process.stdout.write(`${await ok("banger vm create --name bench --memory 192 2>&1 | grep -E '^  '")}\n`)
// "degraded" is at rest, too: the image has units that cannot work in a VM.
await ok("banger vm exec bench -- sh -c 'systemctl is-system-running --wait || true'")
for (const row of commands) if (await race(row)) missed++
await ok("banger vm delete --yes --force bench")
process.stdout.write(`${missed} goals missed\n`)
