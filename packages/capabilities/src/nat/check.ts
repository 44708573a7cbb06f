import * as Effect from "effect/Effect"
import { mend, notReady, ready, warning } from "@banger/domain/readiness.ts"
import { factCheck } from "../capability.ts"
import { installs } from "../distribution.ts"
import { Helper } from "../helper.ts"
import type { NatFacts } from "./ops.ts"
import { TABLE } from "./rules.ts"

/** The helper makes the rules; the daemon, which finds its VMs again, the exceptions of those with NAT; a firewalld that came later gets its zone. */
const AGAIN = mend("sudo banger system restart")

export const tools = (facts: typeof NatFacts.Type) =>
  facts.nft === null
    ? notReady("nft is missing", installs("nft"))
    : facts.iptables === null
    ? notReady("iptables is missing", installs("iptables"))
    : ready(`${facts.nft}, ${facts.iptables}`)

export const judge = (facts: typeof NatFacts.Type) =>
  !facts.forwarding
    ? notReady("the host does not forward IPv4", mend("sudo sysctl -w net.ipv4.ip_forward=1"))
    : !facts.table
    ? notReady(`the nft table ${TABLE} is missing (the host's rules were reloaded?): guests may reach the host and the LAN`, AGAIN)
    : !facts.accepted
    ? notReady("the chains BANGER-INPUT and BANGER-FORWARD of iptables are missing (a firewall was reloaded?)", AGAIN)
    : facts.firewalld
    ? warning("firewalld runs, and br-banger is in none of its zones: it rejects what guests send after banger's rules have let it through", AGAIN)
    : ready("guests reach the world, and neither the host nor the LAN")

const facts = Effect.flatMap(Helper, (helper) => helper.nat.Facts())

export const checks = [factCheck("firewall tools", facts, tools), factCheck("nat", facts, judge)]
