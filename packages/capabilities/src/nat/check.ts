import * as Effect from "effect/Effect"
import { notReady, ready } from "@banger/domain/readiness.ts"
import { factCheck } from "../capability.ts"
import { Helper } from "../helper.ts"
import type { NatFacts } from "./ops.ts"

export const judge = (facts: typeof NatFacts.Type) =>
  facts.iptables === null
    ? notReady("iptables is missing", "install iptables")
    : !facts.forwarding
    ? notReady("the host does not forward IPv4", "sudo sysctl -w net.ipv4.ip_forward=1")
    : !facts.chains
    ? notReady("banger's iptables chains are missing (a firewall was reloaded?)", "banger system restart puts them back; VMs keep running")
    : ready(facts.iptables)

export const checks = [factCheck("nat", Effect.flatMap(Helper, (helper) => helper.nat.Facts()), judge)]
