/** What the host VM has to say when a test fails in it: printed at once, since the next file goes back to the checkpoint. */
import { afterAll, afterEach } from "vitest"
import { sh } from "./host.ts"

const LOOK = `banger vm list --all
  journalctl --no-pager -o short-precise -n 80 -u bangerd -u bangerd-root -u 'banger-vm@*' | cut -c1-300
  for vm in $(banger vm list --all -q); do
    echo "== $vm"; banger vm logs $vm --daemon | tail -20; banger vm logs $vm --firecracker | tail -20; banger vm logs $vm --tail 40
  done
  dmesg | tail -20
  for vm in $(banger vm list --json | jq -r '.[] | select(.state == "running").id'); do timeout 30 banger vm exec $vm -- true 2>/dev/null || echo "a guest hangs: $vm"; done`

/** Status of hostvm when the host VM itself is gone. */
const DEAD = 254

/**
 * How a guest looks that the emulated processor lost: Firecracker's word for a triple fault (a guest that ends itself resets
 * by the keyboard controller instead), or a guest that runs and answers nothing; one whose VM is gone by now, as a failed build's
 * is, has used a processor all the 240 s that it was waited for. A fault of banger's is there the next time, too.
 */
const LOST = /KVM_EXIT_SHUTDOWN|a guest hangs|Consumed [234]min [\d.]+s CPU time[^]*the guest did not answer within 240 s/

const diagnose = async (failed: string) => {
  const { status, stderr, stdout } = await sh(LOOK, { root: true })
  process.stdout.write(`-- the host VM after ${failed}\n${stdout}${stderr}--\n`)
  // Into the report, where run.ts looks for it: the test itself may have failed of something that only follows from it.
  if (status === DEAD) throw new Error(stderr)
  if (LOST.test(stdout)) throw new Error("the emulated processor lost a guest")
}

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await diagnose(task.name)
})

// A beforeAll that failed leaves no test to tell of it.
afterAll(async (file) => {
  if (file.result?.state === "fail" && file.tasks.every(({ result }) => result?.state !== "fail")) await diagnose("its preparation")
})
