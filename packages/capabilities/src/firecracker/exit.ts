/** How a VM's unit ended: systemd's $SERVICE_RESULT, $EXIT_CODE and $EXIT_STATUS, and of one that ran out of memory how often it met its own limit. */
export interface VmExit {
  /** The guest ended itself: reboot, panic and poweroff all end Firecracker with status 0. */
  readonly clean: boolean
  /** For people: `signal 9 (SIGKILL)`, `exit code 152 (bad configuration)`. */
  readonly reason: string
}

/** docs of Firecracker, FcExitCode. */
const CODES: Readonly<Record<number, string>> = {
  1: "generic error",
  148: "killed by its seccomp filter",
  149: "SIGBUS",
  150: "SIGSEGV",
  151: "file size limit",
  152: "bad configuration",
  153: "bad arguments"
}

const SIGNALS: Readonly<Record<string, number>> = { HUP: 1, INT: 2, QUIT: 3, ILL: 4, ABRT: 6, BUS: 7, FPE: 8, KILL: 9, SEGV: 11, PIPE: 13, TERM: 15, XFSZ: 25, SYS: 31 }

/** The kernel counts `oom` of a cgroup at its own limit alone, and kills in it, too, when the whole host has no memory left. */
const outOfMemory = (met: string | undefined) =>
  met === undefined ? ", out of memory" : met === "0" ? ": the host ran out of memory" : ": Firecracker went over the memory limit of its unit"

/** Reads what the unit's ExecStopPost wrote. Text that is not of that form becomes the reason as it is. */
export const parseExit = (text: string): VmExit => {
  const [result, code, status, , met] = text.trim().split(" ")
  if (code === "exited" && status !== undefined) {
    const name = CODES[Number(status)]
    return status === "0" ? { clean: true, reason: "the guest shut down" } : { clean: false, reason: `exit code ${status}${name ? ` (${name})` : ""}` }
  }
  if ((code === "killed" || code === "dumped") && status !== undefined) {
    const number = SIGNALS[status]
    return { clean: false, reason: `${number ? `signal ${number} (SIG${status})` : `signal ${status}`}${result === "oom-kill" ? outOfMemory(met) : ""}` }
  }
  return { clean: false, reason: text.trim() || "it ended without a status" }
}
