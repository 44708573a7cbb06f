/** banger's own daemon without nat: what 45-custom.test.ts installs over one that has VMs. */
import { homedir } from "node:os"
import { clock } from "@banger/capabilities/clock/live.ts"
import { empty, stage } from "@banger/capabilities/compose.ts"
import { dmSnapshot } from "@banger/capabilities/dm-snapshot/live.ts"
import { dns } from "@banger/capabilities/dns/live.ts"
import { firecracker } from "@banger/capabilities/firecracker/live.ts"
import { guestConfig } from "@banger/capabilities/guest-config/live.ts"
import { tapPool } from "@banger/capabilities/tap-pool/live.ts"
import { vsock } from "@banger/capabilities/vsock/live.ts"
import { workDisk } from "@banger/capabilities/work-disk/live.ts"
import { bangerd, serve } from "@banger/daemon/bangerd.ts"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { pipe } from "effect/Function"

process.on("SIGHUP", () => {})

const pipeline = pipe(empty, stage(vsock, dns), stage(tapPool, dmSnapshot, workDisk, guestConfig), stage(firecracker), stage(clock))

serve(bangerd(pipeline, { config: `${homedir()}/.config/banger/config.toml` })).pipe(NodeRuntime.runMain)
