/** The host VM as tests use it: commands run in it as the owner, through the installed command line. */
import { spawn } from "node:child_process"
import * as assert from "node:assert/strict"

const HOSTVM = new URL("hostvm/hostvm", import.meta.url).pathname

export interface Result {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  readonly bytes: Buffer
}

interface Options {
  readonly root?: boolean
  readonly input?: Buffer | string
  readonly args?: ReadonlyArray<string>
  /** Seconds that it may take; 600 without. */
  readonly limit?: number
}

/** A bash script as the owner, or as root; `$1`, `$2`... are the arguments. */
export const sh = (script: string, options: Options = {}): Promise<Result> =>
  new Promise((resolve, reject) => {
    const child = spawn(HOSTVM, ["exec", ...(options.root ? ["--root"] : []), ...(options.limit === undefined ? [] : ["--timeout", String(options.limit)]), "--", "bash", "-c", script, "test", ...(options.args ?? [])], { stdio: "pipe" })
    const stdout: Array<Buffer> = []
    const stderr: Array<Buffer> = []
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk))
    child.once("error", reject)
    child.once("close", (status) => {
      const bytes = Buffer.concat(stdout)
      resolve({ status: status ?? -1, stdout: bytes.toString("utf8"), stderr: Buffer.concat(stderr).toString("utf8"), bytes })
    })
    child.stdin.on("error", () => {})
    child.stdin.end(options.input ?? "")
  })

/** The same, which must succeed; gives its stdout without the last newline. */
export const ok = async (script: string, options: Options = {}): Promise<string> => {
  const { status, stderr, stdout } = await sh(script, options)
  assert.equal(status, 0, `${script}\n${stdout}\n${stderr}`)
  return stdout.replace(/\n$/, "")
}

/** A subcommand of hostvm itself: `reboot`, `crash`. */
export const hostvm = (...args: ReadonlyArray<string>): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(HOSTVM, args, { stdio: ["ignore", "inherit", "pipe"] })
    let stderr = ""
    child.stderr.on("data", (chunk: Buffer) => { stderr += chunk.toString() })
    child.once("error", reject)
    child.once("close", (status) => status === 0 ? resolve() : reject(new Error(`hostvm ${args.join(" ")} exited with ${status}: ${stderr}`)))
  })

/** Whether what takes minutes in an emulated host VM, and shows little that is new, runs as well: `BANGER_ALL=1 make test`. */
export const ALL = process.env["BANGER_ALL"] !== undefined

/** Back to the state right after the install. */
export const reset = () => hostvm("reset")

/** A web server beyond the host, where only NAT leads: in a namespace of its own, at a public documentation address. It has /srv. */
export const WORLD = "198.51.100.2"
export const world = () =>
  ok(`ip netns add world && ip link add to-world type veth peer name eth0 netns world
    ip addr add 198.51.100.1/24 dev to-world && ip link set to-world up
    ip -n world addr add ${WORLD}/24 dev eth0 && ip -n world link set eth0 up && ip -n world link set lo up
    systemd-run -q --unit=world-web ip netns exec world python3 -m http.server 80 --directory /srv
    timeout 180 sh -c 'until curl -fs http://${WORLD}/ >/dev/null; do sleep 0.2; done'`, { root: true })

/** Debian's registry, which asks for a password that nobody has until its configuration is told not to. */
export const registry = () =>
  ok("sed -i '/^auth:/,/path:/d' /etc/docker/registry/config.yml && systemctl start docker-registry && timeout 180 sh -c 'until curl -fs http://127.0.0.1:5000/v2/; do sleep 0.2; done'", { root: true })

/** The images that there are, as their files. */
export const images = async () =>
  (JSON.parse(await ok("banger image list --json")) as ReadonlyArray<{ files: { name: string; rootfs: string; seed: string | null } }>).map(({ files }) => files)

/** Tells one boot of a running VM from the next. */
export const bootId = (vm: string) => ok(`banger vm exec ${vm} -- cat /proc/sys/kernel/random/boot_id`)

/** The ids of all Firecracker processes of the host, one a line. */
export const firecrackers = () => ok("pgrep -x firecracker | sort", { root: true })

/** What of banger stands on the host that no VM accounts for. */
export const leaks = () => ok("banger doctor --leaks --json").then((text) => JSON.parse(text))

/** Seconds that an event may take to show on the slowest machine: an upper bound, nobody waits for it to pass. */
const PATIENCE = 240

/** A condition of the host that an event brings about; the script is repeated on the host until it succeeds. */
export const eventually = (script: string, options: Options = {}) =>
  ok(`end=$((SECONDS + ${PATIENCE})); until ( ${script} ); do [ $SECONDS -lt $end ] || exit 1; sleep 0.2; done`, options)

/** Whether the daemon has written that the VM is in this state: a look at its record, where a command takes a second of an emulated processor. */
export const inState = (name: string, state: string) => `jq -es 'any(.spec.name == "${name}" and .state == "${state}")' /var/lib/banger/daemon/vms/*/vm.json >/dev/null 2>&1`
