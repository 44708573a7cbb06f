import * as Effect from "effect/Effect"
import type { AgentRefused } from "@banger/capabilities/vsock/agent-client.ts"
import type { AgentUnreachable } from "@banger/capabilities/vsock/connect.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { LocalFailure } from "../failure/errors.ts"
import { runScript } from "../session/guest-program.ts"
import { SENT } from "../workspace/sent.ts"

/** The commit whose history was pulled last, in a file of the guest's repository like `SENT`. */
export const PULLED = "BANGER_PULLED"

/** A repository of a VM: the one that was sent, where no directory is named. */
export interface GuestPlace {
  readonly vm: VmView
  readonly directory: string | undefined
}

/** Where repositories that were sent have their note. */
const NOTES = `/root/*/.git/${SENT} /root/.[!.]*/.git/${SENT}`

/** Goes to the top of the repository that $1 names, or else of the only one that was sent. Its notes are those of its main work tree. */
const THERE = `set -e
fail() { echo "$1" >&2; exit 1; }
dir=$1
shift
if [ -z "$dir" ]; then
  for file in ${NOTES}; do
    [ -f "$file" ] || continue
    [ -z "$dir" ] || fail "it has several repositories, $dir and \${file%/.git/*} among them"
    dir=\${file%/.git/*}
  done
  [ -n "$dir" ] || fail "no repository was sent to it"
fi
command -v git >/dev/null || fail "its image has no git"
[ -d "$dir" ] || fail "it has no directory $dir"
cd "$dir"
top=$(git rev-parse --show-toplevel 2>/dev/null) || fail "$(git rev-parse --show-toplevel 2>&1 | head -n 1)"
cd "$top"
note() { GIT_DIR=$(git rev-parse --git-common-dir) git rev-parse --verify --quiet "$1^{commit}"; }
`

/** The work tree with what git neither knows nor ignores, in an index of its own: not in /tmp, which a guest that still boots empties. */
const INDEX = `own=$(mktemp -d "$(git rev-parse --absolute-git-dir)/banger.XXXXXX")
trap 'rm -rf "$own"' EXIT
index=$(git rev-parse --git-path index)
[ ! -f "$index" ] || cp "$index" "$own/index"
export GIT_INDEX_FILE="$own/index"
add() { git -c advice.addEmbeddedRepo=false add -A 2>"$own/said" || fail "$(grep -m 1 '^error: ' "$own/said" || tail -n 1 "$own/said")"; }
`

/** $1: a directory, $2: whether colours are wanted, then what \`git diff\` is given. New objects go where they are forgotten. */
export const DIFF = `${THERE}sent=$(note ${SENT}) || fail "$dir was not sent by banger, or git has forgotten what was"
colour=$1
shift
${INDEX}mkdir -p "$own/objects/info"
(cd "$(git rev-parse --git-path objects)" && pwd) >"$own/objects/info/alternates"
export GIT_OBJECT_DIRECTORY="$own/objects"
add
git diff --cached "--color=$colour" "$sent" "$@"
`

/** $1: a directory, $2: empty, or anything when the work tree is wanted. Prints HEAD's commit, the work tree's tree or nothing, and what the host may have. */
export const LOOK = `${THERE}git rev-parse --verify --quiet "HEAD^{commit}" || fail "$dir has no commit"
if [ -n "$1" ]; then
${INDEX}add
tree=$(git write-tree --missing-ok)
# What nobody changed since it was sent is no work of the guest's.
if sent=$(note ${SENT}) && [ "$tree" = "$(git rev-parse "$sent^{tree}")" ]; then echo; else echo "$tree"; fi
else echo; fi
note ${PULLED} || true
sent=$(note ${SENT}) || exit 0
# What was sent before the first commit is here alone.
[ "$(git show -s --format=%ae%p "$sent")" != banger@localhost ] || exit 0
echo "$sent"
note ${SENT}^ || true
`

/** $1: a directory, then objects, and those with a ^ before them that are not wanted. Prints a pack. */
export const PACK = `${THERE}printf '%s\n' "$@" | git pack-objects --revs --stdout -q
`

/** $1: a directory, $2: a commit. */
export const MARK = `${THERE}GIT_DIR=$(git rev-parse --git-common-dir) git update-ref --no-deref ${PULLED} "$1"
`

/** Prints a line for each repository that was sent and has commits since: how many, and where. */
export const UNPULLED = `command -v git >/dev/null || exit 0
export GIT_DIR=.
for file in ${NOTES} /root/*/.git/modules/*/${SENT}; do
  [ -f "$file" ] || continue
  cd "\${file%/*}" || continue
  count=$(git rev-list --count $(git rev-parse --verify --quiet HEAD) --branches --not ${SENT} $(git rev-parse --verify --quiet ${PULLED}) -- 2>/dev/null) || continue
  [ "$count" != 0 ] || continue
  cd "$(git config core.worktree || echo ..)" && echo "$count $PWD"
done
`

/** Runs one of these scripts. Its failure is told in the guest's own words. */
export const inGuest = <E>(
  { directory, vm }: GuestPlace,
  script: string,
  args: ReadonlyArray<string>,
  take: (bytes: Buffer) => Effect.Effect<void, E>
): Effect.Effect<void, AgentUnreachable | AgentRefused | LocalFailure | E> =>
  Effect.flatMap(runScript(vm.vsock, script, [directory ?? "", ...args], take), ({ said, status }) =>
    status === 0 ? Effect.void : new LocalFailure({
      problem: `${vm.name}: ${said.replace(/^(fatal|error): /, "") || `git ended with status ${status}`}`,
      fix: `banger vm exec ${vm.name} -- ls -la /root shows what it has; NAME:DIR names a repository`
    }))
