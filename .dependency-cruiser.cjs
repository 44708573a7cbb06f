/** Direction of imports: domain <- capabilities <- daemon, root-helper; the CLI knows the domain, the agent's client, the reserve, how a text is fetched, how a file is watched and how a command is ended. */
const only = (from, to, comment) => ({ name: `${from}-imports`, severity: "error", comment, from: { path: `^packages/${from}/`, pathNot: "\\.test\\.ts$" }, to: { path: "^packages/", pathNot: to } })

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    only("domain", "^packages/domain/", "the words of the product depend on nothing"),
    only("capabilities", "^packages/(domain|capabilities)/", "capabilities know no daemon and no command line"),
    only("daemon", "^packages/(domain|capabilities|daemon)/", "the daemon knows no command line and no root code"),
    only("root-helper", "^packages/(domain|capabilities|root-helper)/", "root code stands on capabilities alone"),
    only("cli", "^packages/(domain|cli)/|^packages/capabilities/src/(reserve|killed|download|changes|vsock/(agent-client|agent-frames|connect|contract))\\.ts$", "the CLI parses, calls and renders"),
    {
      name: "examples-stand-outside",
      severity: "error",
      comment: "an example uses what its reader can use, and banger uses no example",
      from: { path: "^packages/" },
      to: { path: "^examples/" }
    },
    {
      name: "examples-imports",
      severity: "error",
      comment: "a capability and a daemon of one's own need no command line and no root code",
      from: { path: "^examples/" },
      to: { path: "^packages/(cli|root-helper)/" }
    },
    {
      name: "ops-live-is-roots",
      severity: "error",
      comment: "what runs as root is loaded by the root helper alone",
      from: { pathNot: "^packages/root-helper/|ops-live(\\.test)?\\.ts$|host\\.test\\.ts$" },
      to: { path: "/ops-live\\.ts$" }
    }
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node"], extensions: [".ts", ".js"] }
  }
}
