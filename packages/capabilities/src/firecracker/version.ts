/** The oldest Firecracker whose guests find their devices through ACPI, which distribution kernels need. */
export const MINIMUM = "1.8.0"
/** The newest that banger was tried with. */
export const TESTED = "1.16"

const parts = (version: string): ReadonlyArray<number> => version.split(/[^0-9]+/).filter((part) => part !== "").map(Number)

/** Whether `version` is `other` or newer; a leading `v` and a suffix such as `-dev` do not count. */
export const atLeast = (version: string, other: string): boolean => {
  const [a, b] = [parts(version), parts(other)]
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

/** Firecracker's issue 5475. Seen with 1.12.1 and Debian's 6.12.95, which has 6.17's change of vsock; 6.1.192 has it not. */
export const breaksVsock = (version: string): boolean => !atLeast(version, "1.14.0")

/** Said of 1.16: after a pause and its end no new connection reaches the guest. Firecracker's #6100, which no release has, mends it. */
export const losesPaused = (version: string): boolean => atLeast(version, "1.16.0")

/** Published weaknesses of the versions that people run; what mends each is a newer Firecracker. */
export const advisories = (version: string): ReadonlyArray<string> => [
  ...(!breaksVsock(version) ? [] : ["issue 5475 (doubles bytes that a guest with Linux 6.17, or a 6.12 of 2026, sends: output of its commands breaks off)"]),
  ...(!atLeast(version, "1.13.2") || (atLeast(version, "1.14.0") && !atLeast(version, "1.14.1")) ? ["CVE-2026-1386 (jailer follows a symlink in a prepared directory; banger's are root's)"] : []),
  ...(!atLeast(version, "1.14.4") || (atLeast(version, "1.15.0") && !atLeast(version, "1.15.1")) ? ["CVE-2026-5747 (virtio-pci; banger does not enable PCI)"] : [])
]
