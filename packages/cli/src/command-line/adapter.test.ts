import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { command, type Input } from "./command.ts"
import { commandHelp } from "./help.ts"
import { Misuse } from "./misuse.ts"
import { as, each, either } from "./options.ts"
import * as Values from "./values.ts"

const made = (run: (input: Input<unknown, unknown>) => Effect.Effect<number>) =>
  command({
    path: "x", about: "Does it.", examples: ["banger x"], rest: "[-- CMD...]",
    args: Args.text({ name: "PATH" }).pipe(Args.repeated),
    flags: Options.all({
      all: Options.boolean("all").pipe(Options.withAlias("a"), Options.withDescription("every one")),
      quiet: Options.boolean("quiet").pipe(Options.withAlias("q"), Options.withDescription("ids only")),
      tty: Options.boolean("tty"),
      noTty: Options.boolean("no-tty"),
      nat: either("nat").pipe(Options.withDescription("reach the internet, or not")),
      image: Options.text("image").pipe(Options.withAlias("i"), Options.withPseudoName("IMAGE"), Options.withDescription("image to boot"), as(Values.text)),
      tail: Options.text("tail").pipe(Options.withAlias("n"), Options.withPseudoName("N"), Options.withDescription("lines"), as(Values.number(Schema.Int))),
      env: Options.text("env").pipe(Options.withAlias("e"), Options.withPseudoName("KEY=VAL"), Options.withDescription("a variable"), each(Values.variable))
    }),
    run
  })

const NOTHING = { all: false, quiet: false, tty: false, noTty: false, nat: undefined, image: undefined, tail: undefined, env: [] }

/** What is typed after the command's name, and what it is read as: beside nothing at all. */
const READ: ReadonlyArray<readonly [what: string, argv: ReadonlyArray<string>, flags: object, args: ReadonlyArray<string>, rest?: ReadonlyArray<string>]> = [
  ["nothing", [], {}, []],
  ["flags after arguments, and a command after --", ["./repo", "--all", "--", "make", "test"], { all: true }, ["./repo"], ["make", "test"]],
  ["banger's own flags after -- are the command's", ["box", "--", "git", "--version"], {}, ["box"], ["git", "--version"]],
  ["help after -- is the command's", ["--", "ls", "--help", "-h"], {}, [], ["ls", "--help", "-h"]],
  ["a wizard after -- is the command's", ["--", "--wizard"], {}, [], ["--wizard"]],
  ["a second -- is the command's", ["box", "--", "ssh", "--", "ls"], {}, ["box"], ["ssh", "--", "ls"]],
  ["a command alone is no argument", ["--", "ls"], {}, [], ["ls"]],
  ["-- with nothing behind it", ["--"], {}, [], []],
  ["a flag several times", ["-e", "A=1", "-e", "B=2", "--env", "C=3"], { env: [["A", "1"], ["B", "2"], ["C", "3"]] }, []],
  ["a flag several times, with =", ["--env=A=1", "box", "--env=B=2"], { env: [["A", "1"], ["B", "2"]] }, ["box"]],
  ["blanks and empty values stay", ["-e", "A= x ", "--env", "B=", "--image", " y "], { env: [["A", " x "], ["B", ""]], image: " y " }, []],
  ["the last of a flag that takes one value", ["--image", "a", "--image", "b"], { image: "b" }, []],
  ["--nat", ["--nat"], { nat: true }, []],
  ["--no-nat", ["--no-nat"], { nat: false }, []],
  ["the last of --nat and --no-nat", ["--nat", "--no-nat"], { nat: false }, []],
  ["the last of --no-nat and --nat", ["--no-nat", "--nat"], { nat: true }, []],
  ["two flags of which one only looks like the other's negation", ["--no-tty", "--tty"], { tty: true, noTty: true }, []],
  ["a flag given twice", ["--all", "-a"], { all: true }, []],
  ["a bundle", ["-aq"], { all: true, quiet: true }, []],
  ["a value in one word with its short flag", ["-eA=1", "-n5"], { env: [["A", "1"]], tail: 5 }, []],
  ["a bundle that ends with a value", ["-an", "5"], { all: true, tail: 5 }, []],
  ["a value with = and with blanks at its end", ["--image=a=b "], { image: "a=b " }, []],
  ["a dash as a value", ["--image", "-"], { image: "-" }, []],
  ["a value that begins with a dash, with =", ["--image=-x"], { image: "-x" }, []],
  ["words that mean yes or no are arguments", ["--all", "y", "--tty", "no", "1"], { all: true, tty: true }, ["y", "no", "1"]],
  ["a name of the library's own flags as a value", ["--image", "version", "completions"], { image: "version" }, ["completions"]],
  ["an empty argument", [""], {}, [""]]
]

/** What is wrong, and the flag that was meant where one is near. */
const REFUSED: ReadonlyArray<readonly [argv: ReadonlyArray<string>, problem: string, near?: string]> = [
  [["--nam"], "unknown flag --nam", "--nat"],
  [["--imag", "x"], "unknown flag --imag", "--image"],
  [["box", "--yse"], "unknown flag --yse"],
  [["-x"], "unknown flag -x"],
  [["-aqz"], "unknown flag -z"],
  [["--ALL"], "unknown flag --ALL", "--all"],
  [["--toString"], "unknown flag --toString"],
  [["--no-all"], "unknown flag --no-all"],
  [["--version"], "unknown flag --version"],
  [["--wizard"], "unknown flag --wizard"],
  [["--log-level", "all"], "unknown flag --log-level"],
  [["--image"], "--image needs a value: IMAGE"],
  [["--image", "--all"], "--image needs a value: IMAGE"],
  [["-5"], "unknown flag -5"],
  [["--tail", "-5"], "--tail needs a value: N"],
  [["--env", "--", "A=1"], "--env needs a value: KEY=VAL"],
  [["--all=yes"], "--all takes no value"],
  [["--no-nat=true"], "--no-nat takes no value"],
  [["--image="], "--image: expected some text"],
  [["--tail=-5"], "--tail: expected a number, not \"-5\""],
  [["-n", "many"], "--tail: expected a number, not \"many\""],
  [["-e", "="], "--env: expected KEY=VAL, not \"=\""],
  [["-e", ""], "--env: expected KEY=VAL, not \"\""],
  [["-e", "=", "--tail", "many"], "--tail: expected a number, not \"many\""]
]

describe("a command line", () => {
  it.effect.each(READ)("is read as it was meant: %s", ([, argv, flags, args, rest]) =>
    Effect.gen(function*() {
      let seen: unknown
      yield* made((input) => Effect.sync(() => (seen = input, 0))).run(argv)
      assert.deepStrictEqual(seen, { flags: { ...NOTHING, ...flags }, args, rest })
    }))

  it.effect.each(REFUSED)("%j is refused: %s", ([argv, problem, near]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(made(() => Effect.die("it ran")).run(argv))
      assert.instanceOf(error, Misuse)
      assert.deepStrictEqual([error.message, error.hint], [problem, `${near === undefined ? "" : `did you mean ${near}? `}banger x --help shows what it takes`])
    }))

  it("is explained by the same declarations", () =>
    assert.strictEqual(commandHelp(made(() => Effect.succeed(0))), `Usage: banger x PATH... [flags] [-- CMD...]

Does it.

Flags:
  -a, --all            every one
  -q, --quiet          ids only
      --tty
      --no-tty
      --nat, --no-nat  reach the internet, or not
  -i, --image IMAGE    image to boot
  -n, --tail N         lines
  -e, --env KEY=VAL    a variable
  -h, --help           this text
      --no-pager       print a long text whole

Examples:
  banger x
`))
})

describe("arguments", () => {
  const taking = (args: Args.Args<unknown>) => command({ path: "y", about: "", examples: ["banger y"], flags: Options.none, args, run: () => Effect.succeed(0) })
  const path = Args.text({ name: "PATH" })

  it.effect.each([
    [taking(Args.none), ["a"], "\"a\" is one argument too many", "usage: banger y"],
    [taking(path), [], "PATH is missing", "usage: banger y PATH"],
    [taking(path), ["a", "b"], "\"b\" is one argument too many", "usage: banger y PATH"],
    [taking(Args.optional(path)), ["a", "b"], "\"b\" is one argument too many", "usage: banger y [PATH]"],
    [taking(path), ["a", "--", "b"], "nothing may stand after --", "usage: banger y PATH"]
  ] as const)("are counted: %#", ([command, argv, problem, hint]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(command.run(argv))
      assert.deepInclude(error, { message: problem, hint })
    }))
})
