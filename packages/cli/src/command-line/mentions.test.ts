import { assert, describe, it } from "@effect/vitest"
import { callOf, commandsIn } from "./mentions.ts"

describe("the commands in a text of the shell", () => {
  it.each([
    ["cd x && banger vm run --rm ./repo -- make test   # a banger vm of its own", [["vm", "run", "--rm", "./repo", "--", "make", "test"]]],
    ["until banger daemon status >/dev/null 2>&1; do sleep 1; done", [["daemon", "status"]]],
    ["timeout 9 sh -c 'banger vm list -aq' && echo banger", [["vm", "list", "-aq"], []]],
    ["banger vm exec $(banger vm list -q | head -1) -- uptime", [["vm", "exec", "$(banger vm list -q | head -1)", "--", "uptime"], ["vm", "list", "-q"]]],
    ["banger vm exec box -e'A=b c' --cwd \"/a \\\"b\" -- sh <<'END'\nls\nEND\nbanger vm cp a \\\n  box:", [["vm", "exec", "box", "-eA=b c", "--cwd", "/a \\\"b", "--", "sh"], ["vm", "cp", "a", "box:"]]],
    ["sudo ./build/bin/banger system install --owner \"$USER\" & wait", [["system", "install", "--owner", "$USER"]]],
    ["ls /usr/local/lib/banger x; systemctl stop banger-vm@1 bangerd; git log banger/box", []]
  ])("are found wherever they stand, without quotes, redirections and comments: %s", (script, commands) => assert.deepStrictEqual(commandsIn(script), commands))

  it.each([
    ["run --name box ./repo -- make --rm", "vm run", ["name"]],
    ["vm list -aq --json", "vm list", ["all", "quiet", "json"]],
    ["vm exec -nT -e A=-t box", "vm exec", ["no-stdin", "no-tty", "env"]],
    ["vm exec -eA=t box", "vm exec", ["env"]],
    ["vm set --no-nat --memory=512 box", "vm set", ["no-nat", "memory"]],
    ["vm list --nosuch -z", "vm list", []]
  ])("give flags, by their whole names: %s", (line, path, flags) => {
    const call = callOf(line.split(" "))
    assert.deepStrictEqual([call?.entry.command.path, call?.flags], [path, flags])
  })

  it("name none of banger's where there is none", () => assert.isUndefined(callOf(["vm", "nosuch"])))
})
