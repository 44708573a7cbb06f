/** What the host VM has to say when a test fails in it: printed at once, since the next file goes back to the checkpoint. */
import { afterEach } from "vitest"
import { sh } from "./host.ts"

const LOOK = `banger vm list --all
  journalctl --no-pager -o short-precise -n 80 -u bangerd -u bangerd-root -u 'banger-vm@*' | cut -c1-300
  for vm in $(banger vm list --all -q); do
    echo "== $vm"; banger vm logs $vm --daemon | tail -20; banger vm logs $vm --firecracker | tail -20; banger vm logs $vm --tail 40
  done
  dmesg | tail -20`

/** Status of hostvm when the host VM itself is gone. */
const DEAD = 254

/** Firecracker's word for a guest that faulted thrice; a guest that ends itself resets by the keyboard controller instead. */
const TRIPLE_FAULT = "KVM_EXIT_SHUTDOWN"

afterEach(async ({ task }) => {
  if (task.result?.state !== "fail") return
  const { status, stderr, stdout } = await sh(LOOK, { root: true })
  process.stdout.write(`-- the host VM after ${task.name}\n${stdout}${stderr}--\n`)
  // Into the report, where run.ts looks for it: the test itself may have failed of something that only follows from it.
  if (status === DEAD) throw new Error(stderr)
  if (stdout.includes(TRIPLE_FAULT)) throw new Error(`${TRIPLE_FAULT}: the emulated processor lost a guest`)
})
