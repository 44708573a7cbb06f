import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { ImageName } from "@banger/domain/ids.ts"
import { view } from "../testing/fake-daemon.ts"
import { type Key, paste, press } from "./keys.ts"
import { current, listed, onPage, START, type State, told, type Wish } from "./model.ts"

const ROWS = 10
const NAMES = ["up", "down", "left", "right", "pageUp", "pageDown", "home", "end", "enter", "escape", "tab", "backspace"] as const
const key = (text: string): Key => ({ text: text.length === 1 ? text : "", name: NAMES.find((name) => name === text), ctrl: false })
const VMS = [view("alpha", "/v"), view("beta", "/v", "stopped"), view("gamma", "/v", "crashed")]
const begun = told(START, VMS, 0)

/** Presses keys, each a character or a key's name. */
const typed = (state: State, ...keys: ReadonlyArray<string>) =>
  keys.reduce<{ readonly state: State; readonly wishes: ReadonlyArray<Wish> }>(({ state, wishes }, text) => {
    const [next, wish] = press(state, key(text), ROWS)
    return { state: next, wishes: wish === undefined ? wishes : [...wishes, wish] }
  }, { state, wishes: [] })

const said = ({ wishes }: ReturnType<typeof typed>) => wishes.map((wish) => "vm" in wish ? `${wish._tag} ${wish.vm.name}` : wish._tag)

describe("the keys of banger tui", () => {
  it("act on the VM that is marked, which stays the same one when others come and go", () => {
    assert.deepStrictEqual(said(typed(begun, "s", "down", "x", "j", "r", "c", "e", "g", "c", "d", "q")), ["Start alpha", "Stop beta", "Restart gamma", "Ssh alpha", "AskDelete alpha", "Quit"])
    const { state } = typed(begun, "down")
    assert.strictEqual(current(told(state, [view("aaa", "/v"), ...VMS], 1))?.name, "beta")
    assert.strictEqual(current(told(state, [VMS[0], VMS[2]].flatMap((vm) => vm ?? []), 1))?.name, "gamma")
    assert.strictEqual(current(told(state, [], 1)), undefined)
  })

  it("delete only what was asked about, and only with a y", () => {
    const asked = { ...begun, prompt: { _tag: "Delete", vm: VMS[1] as (typeof VMS)[number], lost: [] } } as const
    assert.deepStrictEqual(said(typed(told(asked, VMS.slice(1), 1), "y")), ["Delete beta"])
    for (const other of ["n", "enter", "escape", "d", " "]) assert.deepStrictEqual(typed(asked, other).wishes, [], other)
  })

  it("run a line as it was typed, and none that is empty", () => {
    const { state, wishes } = typed(begun, "e", ..."lsx", "backspace", ..." -l", "enter")
    assert.deepStrictEqual(wishes, [{ _tag: "Exec", vm: VMS[0] as (typeof VMS)[number], command: "ls -l" }])
    assert.strictEqual(state.prompt, undefined)
    assert.deepStrictEqual(typed(begun, "e", " ", "enter").wishes, [])
    assert.deepStrictEqual(typed(begun, "e", ..."rm", "escape", "q").wishes, [{ _tag: "Quit" }])
  })

  it("create of the image that is marked, with a name or without one", () => {
    const asked: State = { ...begun, prompt: { _tag: "Image", images: [ImageName.make("alpine"), ImageName.make("void")], at: 0 } }
    assert.deepStrictEqual(typed(asked, "down", "enter", ..."new", "enter").wishes, [{ _tag: "Create", image: ImageName.make("void"), name: "new" }])
    assert.deepStrictEqual(typed(asked, "enter", "enter").wishes, [{ _tag: "Create", image: ImageName.make("alpine"), name: "" }])
  })

  it("filter while they are typed, and show all again with Esc", () => {
    const { state } = typed(begun, "/", ..."STOP")
    assert.deepStrictEqual(listed(state).map(({ name }) => name), ["beta"])
    assert.strictEqual(current(state)?.name, "beta")
    assert.strictEqual(listed(typed(state, "enter").state).length, 1)
    assert.strictEqual(listed(typed(state, "escape").state).length, 3)
    assert.strictEqual(listed(typed(state, "enter", "escape").state).length, 3)
  })

  it("scroll a log no further than it goes, and keep what is looked at while more comes", () => {
    const { state } = typed(begun, "enter", "tab")
    const full = onPage(state, VMS[0]?.id as never, () => ({ console: Array.from({ length: 25 }, (_, at) => String(at)) }))
    assert.strictEqual(typed(full, "up", "up", "down").state.page?.back, 1)
    assert.strictEqual(typed(full, "home").state.page?.back, 15)
    assert.strictEqual(typed(full, "home", "end").state.page?.back, 0)
    assert.strictEqual(typed(full, "escape").state.page, undefined)
  })

  it("are text where one is asked for when they are pasted, and nothing anywhere else", () => {
    assert.strictEqual(paste(begun, "git restore src"), begun)
    const { state } = typed(begun, "e", ..."cd x")
    assert.deepStrictEqual(typed(paste(state, " &&\nmake\n"), "enter").wishes, [{ _tag: "Exec", vm: VMS[0] as (typeof VMS)[number], command: "cd x && make " }])
    const asked = { ...begun, prompt: { _tag: "Delete", vm: VMS[1] as (typeof VMS)[number], lost: [] } } as const
    assert.strictEqual(paste(asked, "y"), asked)
  })

  it("leave a state that can be shown, whatever is pressed and told", () =>
    FastCheck.assert(FastCheck.property(FastCheck.array(FastCheck.oneof(FastCheck.constantFrom(...NAMES), FastCheck.constantFrom(..."sxrcednqyjkgG/? a"), FastCheck.nat(3)), { maxLength: 40 }), (events) => {
      let state = begun
      for (const event of events) {
        state = typeof event === "number" ? told(state, VMS.slice(event), 1) : press(state, key(event), ROWS)[0]
        const vms = listed(state)
        assert.isTrue(vms.length === 0 ? state.selected === undefined : vms.some(({ id }) => id === state.selected))
        assert.isTrue(state.page === undefined || (state.vms ?? []).some(({ id }) => id === state.page?.id))
        assert.isAtLeast(state.page?.back ?? 0, 0)
      }
    })))
})
