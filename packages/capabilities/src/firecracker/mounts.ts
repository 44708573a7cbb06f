/** What a jail needs of its file system: nodes of devices, programs that run, and room to write. */
type Need = "dev" | "exec" | "rw"

export interface Mount {
  /** Where it is mounted. */
  readonly at: string
  readonly forbids: ReadonlyArray<Need>
}

const FORBIDS: Readonly<Record<string, Need>> = { nodev: "dev", noexec: "exec", ro: "rw" }

/** Spaces and the like as the kernel writes them. */
const plain = (field: string) => field.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/** The mount that a path lies on: of those above it the longest, and of several at one place the last. */
export const mountOf = (mountinfo: string, path: string): Mount =>
  mountinfo.split("\n").reduce<Mount>((best, line) => {
    const [, , , , point, options] = line.split(" ")
    if (point === undefined || options === undefined) return best
    const at = plain(point)
    const above = at === "/" || path === at || path.startsWith(`${at}/`)
    if (!above || at.length < best.at.length) return best
    return { at, forbids: options.split(",").flatMap((option) => FORBIDS[option] ?? []) }
  }, { at: "/", forbids: [] })

/** Why jails cannot lie on a mount, and the command that mends it until the next boot; null when they can. */
export const unfit = ({ at, forbids }: Mount): { readonly problem: string; readonly fix: string } | null =>
  forbids.length === 0 ? null : {
    problem: `jails of VMs lie on ${at}, which is mounted ${forbids.map((need) => need === "rw" ? "ro" : `no${need}`).join(" and ")}: they hold devices and programs (/etc/fstab, or a unit, says how it is mounted)`,
    fix: `sudo mount -o remount,bind,${forbids.join(",")} ${at}`
  }
