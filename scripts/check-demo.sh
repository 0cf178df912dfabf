#!/usr/bin/env bash
# Runs `gradus demo` as a newcomer would and checks that the story it tells is
# the one that happened: what it prints, and what is in the repository after it.
#
#   scripts/check-demo.sh [PATH OF THE gradus PROGRAM]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ $# -gt 0 ]]; then
    gradus="$(realpath "$1")"
else
    cargo build --release --locked
    gradus="$(realpath "${CARGO_TARGET_DIR:-target}/release/gradus")"
fi

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
told="$scratch/told"

if ! timeout 180 "$gradus" demo --dir "$scratch/demo" >"$told" 2>"$scratch/errors" </dev/null; then
    printf 'gradus demo failed:\n' >&2
    cat "$told" "$scratch/errors" >&2
    exit 1
fi
cat "$told"

faults=0
tells() {
    if ! grep -qE "$1" "$told"; then
        printf 'the demo does not tell: %s\n' "$1" >&2
        faults=$((faults + 1))
    fi
}
tells 'promoted to staging'
tells 'approved by'
tells 'prod healthy at 6\.5\.1'
tells 'staging failed at 6\.6\.0'
tells 'prod stays at 6\.5\.1'
tells 'rolled back'

# What was told is in Git, with who let it in.
fleet="$(find "$scratch/demo" -maxdepth 2 -type d -name '*.git' | head -n 1)"
messages="$(git --git-dir="$fleet" log --format=%B main)"
holds() {
    if ! grep -qE "$1" <<<"$messages"; then
        printf 'no commit on main says: %s\n' "$1" >&2
        faults=$((faults + 1))
    fi
}
holds '^Gradus-Environment: staging$'
holds '^Gradus-Environment: prod$'
holds '^Gradus-Version: 6\.5\.1$'
holds '^Gradus-Promotion: [0-9a-f]{40}$'
holds '^Gradus-Approved-By: '
git --git-dir="$fleet" fsck --strict --no-dangling >/dev/null || {
    printf 'git fsck finds faults in %s\n' "$fleet" >&2
    faults=$((faults + 1))
}
# prod never got what failed in staging.
if git --git-dir="$fleet" log --format='%(trailers:key=Gradus-Environment,valueonly,separator=%x2C) %(trailers:key=Gradus-Version,valueonly,separator=%x2C)' main \
    | grep -qx 'prod 6\.6\.0'; then
    printf '6.6.0 was promoted to prod\n' >&2
    faults=$((faults + 1))
fi

# The same with pull requests, where there is a Gitea: the tests build one.
told="$scratch/told-in-gitea"
if timeout 180 "$gradus" demo --forge gitea --dir "$scratch/forge" >"$told" 2>"$scratch/errors" </dev/null; then
    cat "$told"
    tells 'where it is reviewed: http://127\.0\.0\.1:[0-9]+/acme/fleet/pulls/1$'
    tells 'approved by'
    tells 'the branch of the pull request is gone'
    tells 'prod stays at 6\.5\.1'
    branches="$(git --git-dir="$scratch/forge/gitea/repositories/acme/fleet.git" for-each-ref --format='%(refname:short)' refs/heads)"
    if [[ "$branches" != main ]]; then
        printf 'branches are left in Gitea: %s\n' "$branches" >&2
        faults=$((faults + 1))
    fi
elif grep -q 'needs Gitea, and there is none' "$scratch/errors"; then
    printf '\nno Gitea: the story is not told with pull requests\n'
else
    printf 'gradus demo --forge gitea failed:\n' >&2
    cat "$told" "$scratch/errors" >&2
    exit 1
fi

[[ "$faults" -eq 0 ]] || exit 1
printf '\nthe demo told its story, and the repository holds it\n'
