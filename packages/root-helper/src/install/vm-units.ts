import { run } from "@banger/capabilities/exec.ts"
import * as Effect from "effect/Effect"

/** The units of VMs that systemd knows: those that run, and what is left of those that failed. */
export const vmUnits = run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "banger-vm@*"]).pipe(
  Effect.map((listing) => listing.split("\n").flatMap((line) => line.trim().split(" ")[0] || []))
)
