/** Exit statuses of banger's own failures (docs: `banger --help`). `vm run` and `vm exec` give 125 for most of them. */
export const FAILED = 1
export const OWN_FAILURE = 125
export const TIMED_OUT = 124

const BY_TAG: Readonly<Record<string, number>> = {
  Misuse: 2,
  VmNotFound: 3,
  ImageNotFound: 3,
  KernelNotFound: 3,
  VmAmbiguous: 4,
  VmBusy: 4,
  NameTaken: 4,
  WrongState: 4,
  ImageInUse: 4,
  ImageBusy: 4,
  KernelInUse: 4,
  DaemonUnreachable: 5
}

export const SIGNAL_STATUS = { SIGHUP: 129, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const

/** `ownFailure`: the status of commands whose other statuses are the guest's. */
export const statusOf = (error: unknown, ownFailure?: number): number => {
  const tag = typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : ""
  const status = BY_TAG[tag] ?? FAILED
  return ownFailure === undefined || tag === "Misuse" ? status : ownFailure
}
