/** What the tests of the host VM say to its shell, read in their sources. */
import * as fs from "node:fs"
import * as path from "node:path"
import ts from "typescript"
import type { HostTest } from "../packages/cli/src/command-line/tested-doc.ts"
import { GUIDES, page, stepOf } from "./pages.ts"

const TIERS = ["e2e", "faults"]
const TESTS = new URL("./", import.meta.url).pathname
/** What stands for a value that only a run knows: in a script, and in a test's name. */
const UNKNOWN = { script: "x", name: "…" } as const
/** What a test compares with is not run. */
const COMPARES = /^(?:to[A-Z]\w*|match)$/

const parse = (file: string): ts.SourceFile => ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true)

/** What a call is of at its beginning: `it` of `it.runIf(ALL)("…")`, `expect` of `expect(x).toBe(y)`. */
const beginOf = (node: ts.Expression): string =>
  ts.isCallExpression(node) || ts.isPropertyAccessExpression(node) ? beginOf(node.expression) : node.getText()

const isCallOf = (node: ts.Node, ...names: ReadonlyArray<string>): node is ts.CallExpression =>
  ts.isCallExpression(node) && node.arguments.length > 0 && names.includes(beginOf(node.expression)) && !(ts.isPropertyAccessExpression(node.expression) && /^(?:runIf|skipIf)$/.test(node.expression.name.text))

const isForAll = (node: ts.Node): boolean => /\bALL\b/.test(node.getText())

/** A name of a file and what it is: names that tests make for themselves are not among them. */
type Known = ReadonlyMap<string, ts.Node>

const namesOf = (name: ts.BindingName): ReadonlyArray<string> =>
  ts.isIdentifier(name) ? [name.text] : name.elements.flatMap((element) => ts.isBindingElement(element) ? namesOf(element.name) : [])

const knownTo = (source: ts.SourceFile): Known => {
  const known = new Map<string, ts.Node>()
  const visit = (node: ts.Node): void => {
    if (isCallOf(node, "it")) return
    if (ts.isVariableDeclaration(node)) {
      const value = node.initializer ?? (ts.isForOfStatement(node.parent.parent) ? node.parent.parent.expression : undefined)
      if (value !== undefined) for (const name of namesOf(node.name)) known.set(name, value)
    }
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier) && node.moduleSpecifier.text.startsWith("../")) {
      const theirs = knownTo(parse(path.resolve(path.dirname(source.fileName), node.moduleSpecifier.text)))
      for (const [name, value] of theirs) if (!known.has(name)) known.set(name, value)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return known
}

/** A value in a template: its text where the source has it, both of a choice. */
const textOf = (value: ts.Expression, known: Known, unknown: string): string => {
  const text = (part: ts.Expression) => textOf(part, known, unknown)
  if (ts.isStringLiteralLike(value)) return value.text
  if (ts.isTemplateExpression(value)) return `${value.head.text}${value.templateSpans.map(({ expression, literal }) => `${text(expression)}${literal.text}`).join("")}`
  if (ts.isConditionalExpression(value)) return `${text(value.whenTrue)} ${text(value.whenFalse)}`
  const meant = ts.isIdentifier(value) ? known.get(value.text) : undefined
  return meant !== undefined && ts.isStringLiteralLike(meant) ? meant.text : unknown
}

interface Script {
  readonly text: string
  readonly always: boolean
}

/** The texts in a piece of a source, and in what it names. */
const scriptsOf = (root: ts.Node, known: Known): ReadonlyArray<Script> => {
  const found: Array<Script> = []
  const seen = new Set<ts.Node>()
  const visit = (node: ts.Node, always: boolean): void => {
    if (ts.isIfStatement(node) && isForAll(node.expression)) {
      visit(node.thenStatement, false)
      return void (node.elseStatement && visit(node.elseStatement, always))
    }
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && COMPARES.test(node.expression.name.text)) return visit(node.expression, always)
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) found.push({ text: textOf(node, known, UNKNOWN.script), always })
    const meant = ts.isIdentifier(node) && !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) ? known.get(node.text) : undefined
    if (meant !== undefined && !seen.has(meant)) {
      seen.add(meant)
      visit(meant, always)
    }
    ts.forEachChild(node, (child) => visit(child, always))
  }
  visit(root, true)
  return found
}

const testsOf = (tier: string, name: string): ReadonlyArray<HostTest> => {
  const source = parse(path.join(TESTS, tier, name))
  const known = knownTo(source)
  const tests: Array<HostTest> = []
  const visit = (node: ts.Node, always: boolean): void => {
    const [first, ...rest] = isCallOf(node, "it", "describe", "beforeAll", "afterEach") ? node.arguments : []
    if (!ts.isCallExpression(node) || first === undefined) return ts.forEachChild(node, (child) => visit(child, always))
    const mayRun = always && !isForAll(node.expression)
    const what = beginOf(node.expression)
    if (what === "describe") return rest.forEach((argument) => visit(argument, mayRun))
    const named = what === "it" ? textOf(first, new Map(), UNKNOWN.name) : "what its tests begin or end with"
    const scripts = (what === "it" ? rest : [first]).flatMap((argument) => scriptsOf(argument, known))
    for (const runs of [true, false]) {
      const texts = scripts.filter(({ always }) => always === runs).map(({ text }) => text)
      if (texts.length > 0) tests.push({ file: `${tier}/${name.replace(".test.ts", "")}`, name: named, always: runs && mayRun, scripts: texts })
    }
  }
  visit(source, true)
  return tests
}

/** What the guides tell to type, which one file of tests does. */
const guides = (): ReadonlyArray<HostTest> =>
  GUIDES.map(page).flatMap(({ blocks, name }) => blocks.flatMap((block) => {
    const step = stepOf(block)
    return step === undefined ? [] : [{ file: "e2e/70-guides", name: `${name}: ${block.heading}`, always: !step.long, scripts: [step.script] }]
  }))

/** What is done in the host VM before any test. */
const beginning = (): HostTest => ({ file: "hostvm/after-install", name: "what every test begins with", always: true, scripts: [fs.readFileSync(path.join(TESTS, "hostvm/after-install"), "utf8")] })

/** The tests of all tiers that run in the host VM, in their order. */
export const hostTests = (): ReadonlyArray<HostTest> =>
  [beginning(), ...TIERS.flatMap((tier) => fs.readdirSync(path.join(TESTS, tier)).filter((name) => name.endsWith(".test.ts")).toSorted().flatMap((name) => testsOf(tier, name))), ...guides()]
