import { existsSync, readFileSync, statSync } from "node:fs"
import * as Schema from "effect/Schema"
import type { Unreachable } from "@banger/domain/unreachable.ts"
import { daemonSocket, INSTALL_RECORD, ownCommand } from "../host/paths.ts"

/** Something on this side failed: a file, a program. `hint` may be empty. */
export class LocalFailure extends Schema.TaggedError<LocalFailure>()("LocalFailure", {
  problem: Schema.String,
  fix: Schema.String
}) {
  override get message() {
    return this.problem
  }
  get hint() {
    return this.fix
  }
}

/** The path given to `vm run` is not one whose files can be sent. */
export class NotAWorkTree extends Schema.TaggedError<NotAWorkTree>()("NotAWorkTree", {
  path: Schema.String,
  problem: Schema.String,
  fix: Schema.String
}) {
  override get message() {
    return `${this.path} is not a git work tree: ${this.problem}`
  }
  get hint() {
    return this.fix
  }
}

export class DaemonUnreachable extends Schema.TaggedError<DaemonUnreachable>()("DaemonUnreachable", {
  reason: Schema.Literal("not installed", "not running", "forbidden", "went away"),
  owner: Schema.String
}) {
  override get message() {
    switch (this.reason) {
      case "not installed":
        return "banger is not installed on this host"
      case "not running":
        return `the daemon is not running: nothing listens on ${daemonSocket()}`
      case "forbidden":
        return `this banger belongs to ${this.owner}: only that user may talk to its daemon`
      case "went away":
        return "the daemon went away before it had answered"
    }
  }
  get hint() {
    switch (this.reason) {
      case "not installed":
        return `sudo ${ownCommand()} system install --owner $USER`
      case "not running":
        return "sudo systemctl start bangerd.socket; journalctl -u bangerd -n 50 says why it does not run"
      case "forbidden":
        return `log in as ${this.owner}, or: sudo banger system install --owner $USER`
      case "went away":
        return "journalctl -u bangerd -n 50 says why; the next command starts it again"
    }
  }
}

export const daemonUnreachable = (reason: Unreachable): DaemonUnreachable => {
  if (reason === "not running" && !existsSync(daemonSocket()) && !existsSync(INSTALL_RECORD)) {
    return new DaemonUnreachable({ reason: "not installed", owner: "" })
  }
  return new DaemonUnreachable({ reason, owner: reason === "forbidden" ? ownerOf(daemonSocket()) : "" })
}

function ownerOf(file: string): string {
  try {
    const { uid } = statSync(file)
    const line = readFileSync("/etc/passwd", "utf8").split("\n").find((entry) => entry.split(":")[2] === String(uid))
    return line?.split(":")[0] ?? `uid ${uid}`
  } catch {
    return "another user"
  }
}
