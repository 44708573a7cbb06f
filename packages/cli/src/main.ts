import { startupSnapshot } from "node:v8"
import { dispatch } from "./command-line/dispatch.ts"
import { giveBack } from "./host/environment.ts"
import { warm } from "./warm.ts"

// The build runs this once and keeps the heap, with every module loaded and compiled; a command starts from there. So no module
// may keep at its top what differs from run to run: the environment, the terminal, the time.
startupSnapshot.setDeserializeMainFunction(() => {
  giveBack(process.env)
  dispatch(process.argv.slice(1))
})
void warm()
