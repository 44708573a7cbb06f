import { pipe } from "effect/Function"
import type { Clocks } from "./clock/contract.ts"
import { clock } from "./clock/live.ts"
import { empty, stage } from "./compose.ts"
import { dmSnapshot } from "./dm-snapshot/live.ts"
import type { Dns } from "./dns/contract.ts"
import { dns } from "./dns/live.ts"
import type { FirecrackerApi, VmExits } from "./firecracker/contract.ts"
import { firecracker } from "./firecracker/live.ts"
import type { GuestKeys, GuestListener, GuestOwner } from "./guest-config/contract.ts"
import { guestConfig } from "./guest-config/live.ts"
import type { Helper } from "./helper.ts"
import { nat } from "./nat/live.ts"
import { tapPool } from "./tap-pool/live.ts"
import { vsock } from "./vsock/live.ts"
import { workDisk } from "./work-disk/live.ts"

/**
 * A running VM. Each stage is taken in parallel, once the one before it stands. Create, start, adoption, stop, delete,
 * the guest's configuration and doctor all follow from this list.
 */
export const pipeline = pipe(
  empty,
  stage(vsock, dns),
  stage(tapPool, dmSnapshot, workDisk, nat, guestConfig),
  stage(firecracker),
  stage(clock)
)

/** Services of the host that the standard pipeline runs on; a daemon provides them. */
export type HostServices = Helper | FirecrackerApi | VmExits | GuestKeys | GuestListener | GuestOwner | Dns | Clocks
