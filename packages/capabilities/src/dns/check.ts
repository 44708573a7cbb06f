import * as Effect from "effect/Effect"
import { mend, notReady, ready, warning } from "@banger/domain/readiness.ts"
import type { Check } from "../capability.ts"
import { Dns, type DnsStatus } from "./contract.ts"

/** Has systemd take the sockets, at the addresses that the configuration says. */
const TAKE = "sudo banger system restart"

export const judge = ({ bound, failed, held }: DnsStatus) =>
  failed.length > 0
    ? notReady(failed.join("; "), `${TAKE}; ss -lntup shows who holds a port that is taken`)
    : !held
    ? warning("systemd does not hold the name server's sockets: while the daemon is away guests have no names, and anybody may take the ports", mend(TAKE))
    : ready(bound.join(", "))

export const checks: ReadonlyArray<Check<Dns>> = [{
  name: "name server",
  run: Effect.map(Effect.flatMap(Dns, (server) => server.status), judge)
}]
