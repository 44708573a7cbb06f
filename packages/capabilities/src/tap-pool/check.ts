import * as Effect from "effect/Effect"
import { mend, notReady, ready, warning } from "@banger/domain/readiness.ts"
import { factCheck } from "../capability.ts"
import { installs } from "../distribution.ts"
import { Helper } from "../helper.ts"
import { lacking } from "../kernel-feature.ts"
import type { TapFacts } from "./ops.ts"

export const tools = (facts: typeof TapFacts.Type) =>
  facts.ip === null
    ? notReady("ip is missing", installs("ip"))
    : facts.tun !== "there"
    ? notReady("/dev/net/tun is missing", lacking(facts.tun, "tun"))
    : ready(facts.ip)

/** The helper makes the bridge anew, the daemon sees to the TAPs of its VMs. */
const AGAIN = mend("sudo banger system restart")

/** Whoever manages networks here and does not heed what the install wrote for networkd and NetworkManager. */
const TAKEN = "(a network manager of the host's manages it)"

export const bridge = ({ address, addresses, antiSpoofing, astray, bridge, clash, strangers }: typeof TapFacts.Type) => {
  const foreign = addresses.filter((each) => each !== address)
  return clash !== null
    ? notReady(clash.problem, clash.fix)
    : !bridge
    ? notReady("the bridge br-banger is missing", AGAIN)
    : !addresses.includes(address)
    ? notReady(`br-banger does not have its address ${address}: guests have no network ${TAKEN}`, AGAIN)
    : foreign.length > 0
    ? notReady(`br-banger has ${foreign.join(" and ")}, which is not banger's ${TAKEN}`, AGAIN)
    : astray.length > 0
    ? notReady(`not on br-banger, or not as they must be: ${astray.join(" ")} ${TAKEN}`, AGAIN)
    : !antiSpoofing
    ? notReady("the nft table `bridge banger` is missing: guests could spoof addresses", mend("sudo systemctl restart bangerd-root"))
    : strangers.length > 0
    ? warning(`not banger's, for all their names: ${strangers.join(" ")}; a VM that needs such a name cannot start`, `ip -d link show ${strangers[0]} says what it is; banger leaves it alone`)
    : ready(`br-banger with ${address}, anti-spoofing rules in place`)
}

const facts = Effect.flatMap(Helper, (helper) => helper.tap.Facts())

export const checks = [factCheck("network tools", facts, tools), factCheck("bridge", facts, bridge)]
