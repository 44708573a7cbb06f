import * as Effect from "effect/Effect"
import { mend, notReady, ready } from "@banger/domain/readiness.ts"
import { factCheck } from "../capability.ts"
import { installs } from "../distribution.ts"
import { Helper } from "../helper.ts"
import type { TapFacts } from "./ops.ts"

export const tools = (facts: typeof TapFacts.Type) =>
  facts.ip === null
    ? notReady("ip is missing", installs("ip"))
    : !facts.tun
    ? notReady("/dev/net/tun is missing", mend("sudo modprobe tun"))
    : ready(facts.ip)

export const bridge = (facts: typeof TapFacts.Type) =>
  !facts.bridge
    ? notReady("the bridge br-banger is missing", mend("sudo systemctl restart bangerd-root"))
    : !facts.antiSpoofing
    ? notReady("the nft table `bridge banger` is missing: guests could spoof addresses", mend("sudo systemctl restart bangerd-root"))
    : ready("br-banger, anti-spoofing rules in place")

const facts = Effect.flatMap(Helper, (helper) => helper.tap.Facts())

export const checks = [factCheck("network tools", facts, tools), factCheck("bridge", facts, bridge)]
