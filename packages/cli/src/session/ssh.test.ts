import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import * as Effect from "effect/Effect"
import { keyIn, remoteCommand, sshArguments, sshWords, terminalOption } from "./ssh.ts"

const vm = { name: "web" as never, address: "172.16.0.5" }

/** What ssh would do, setting by setting, as it says itself. */
const settings = (...words: ReadonlyArray<string>): Readonly<Record<string, string>> | undefined => {
  const { error, status, stderr, stdout } = spawnSync("ssh", ["-G", ...sshArguments(vm, "/key", sshWords(words), 1)], { encoding: "utf8" })
  if (error !== undefined) return undefined
  assert.strictEqual(status, 0, stderr)
  return Object.fromEntries(stdout.split("\n").map((line) => line.split(/ (.*)/s) as [string, string]))
}
const installed = settings() !== undefined

describe("vm ssh", () => {
  it("tells ssh's options from the command, as ssh does", () => {
    for (const [words, options, command] of [
      [[], [], []],
      [["uname", "-a"], [], ["uname", "-a"]],
      [["-L", "8080:localhost:80"], ["-L", "8080:localhost:80"], []],
      [["-tt", "-o", "User=bob", "top", "-b"], ["-tt", "-o", "User=bob"], ["top", "-b"]],
      [["-p2222", "-4vo", "Port=1", "id"], ["-p2222", "-4vo", "Port=1"], ["id"]],
      [["-A", "--", "-x"], ["-A"], ["-x"]],
      [["-", "x"], [], ["-", "x"]],
      [["-L"], ["-L"], []]
    ] as const) assert.deepStrictEqual(sshWords(words), { options: [...options], command: [...command] }, words.join(" "))
  })

  it("reads no configuration: not the user's, not the host's", () => {
    assert.deepStrictEqual(sshArguments(vm, "/key", sshWords(["-v", "id"]), 1).slice(0, 3), ["-F", "none", "-v"])
    assert.deepStrictEqual(sshArguments(vm, "/key", sshWords(["-v", "id"]), 1).slice(-3), ["--", "172.16.0.5", "id"])
  })

  it.skipIf(!installed)("pins the host's key and keeps the user's keys and screen to itself", () => {
    const said = settings()
    assert.deepStrictEqual(
      [said?.["user"], said?.["port"], said?.["stricthostkeychecking"], said?.["hostkeyalias"], said?.["identitiesonly"], said?.["forwardagent"], said?.["controlpath"], said?.["connectionattempts"]],
      ["root", "22", "true", "web.vm", "yes", "no", undefined, "1"]
    )
  })

  it.skipIf(!installed)("lets what stands after -- win over its own settings", () => {
    const said = settings("-l", "bob", "-o", "StrictHostKeyChecking=no", "-p", "2222", "-A", "-o", "ConnectionAttempts=7", "true")
    assert.deepStrictEqual(
      [said?.["user"], said?.["port"], said?.["stricthostkeychecking"], said?.["forwardagent"], said?.["connectionattempts"], said?.["hostname"]],
      ["bob", "2222", "false", "yes", "7", "172.16.0.5"]
    )
    assert.strictEqual(settings("-o", "User=carol")?.["user"], "carol")
  })

  it.skipIf(!installed)("has a terminal in the guest when it is to, whether this end is one or not", () => {
    assert.deepStrictEqual([true, false].map((wanted) => settings(terminalOption(wanted))?.["requesttty"]), ["force", "false"])
  })

  it("gives the guest's shell the words as they are", () => {
    assert.strictEqual(remoteCommand(["echo", "it's"], "/a b", { K: "v w" }), `export K='v w'; cd '/a b' && exec 'echo' 'it'\\''s'`)
  })

  it.effect("takes the key that the configuration names, else the install's; one that is not there is said with what to do", () => Effect.gen(function*() {
    const home = yield* temporary
    assert.strictEqual((yield* Effect.flip(keyIn(home, {}))).message, `there is no key ${home}/.local/state/banger/ssh/id_ed25519`)
    const named = keyIn(home, { ssh_key_path: "~/keys/guests" })
    const missing = yield* Effect.flip(named)
    assert.strictEqual(missing.message, `there is no key ${home}/keys/guests, which ssh_key_path names`)
    assert.match(missing.hint, /^correct it in .*\/\.config\/banger\/config\.toml; without it banger's own key is used$/)
    fs.mkdirSync(`${home}/keys`)
    fs.writeFileSync(`${home}/keys/guests`, "")
    assert.strictEqual(yield* named, `${home}/keys/guests`)
  }).pipe(Effect.scoped))
})
