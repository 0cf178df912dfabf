#!/usr/bin/env bash
# Checks who may depend on whom, as docs/architecture.md draws it. What a crate
# is built on decides what it can do: a crate without tokio cannot wait, one
# without an HTTP client cannot call anybody.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

faults=0

# Direct dependencies of a crate, without those for its tests.
dependencies() {
    cargo tree --locked --offline --package "$1" --edges normal --target all --depth 1 --prefix none --format '{p}' \
        | tail -n +2 | awk 'NF { print $1 }' | sort -u
}

# only CRATE DEPENDENCY...: these and no others.
only() {
    local crate="$1" found
    shift
    found="$(dependencies "$crate")"
    found="$(comm -13 <(printf '%s\n' "$@" | sort -u) - <<<"$found")"
    if [[ -n "$found" ]]; then
        printf '%s may not depend on: %s\n' "$crate" "$(tr '\n' ' ' <<<"$found")" >&2
        faults=$((faults + 1))
    fi
}

# of_ours CRATE CRATE...: of this workspace, these and no others.
of_ours() {
    local crate="$1" found
    shift
    found="$(dependencies "$crate")"
    found="$(grep '^gradus' <<<"$found" | comm -13 <(printf '%s\n' "$@" | sort -u) - || true)"
    if [[ -n "$found" ]]; then
        printf '%s may not depend on: %s\n' "$crate" "$(tr '\n' ' ' <<<"$found")" >&2
        faults=$((faults + 1))
    fi
}

only gradus-core jiff semver thiserror
only gradus-edit granit-parser regex-lite toml_edit
only gradus-evidence gradus-core jiff semver serde serde_json
only gradus-weave aws-lc-rs jiff serde serde_json thiserror
only gradus-template gradus-core jiff minijinja strsim
of_ours gradus-manifest gradus-core gradus-template
of_ours gradus-engine gradus-core gradus-edit gradus-template
of_ours gradus-local gradus-core gradus-engine
of_ours gradus-remote gradus-core gradus-engine gradus-template
of_ours gradus-server gradus-core gradus-engine gradus-weave
of_ours gradus-kube gradus-core gradus-engine gradus-evidence gradus-manifest gradus-weave

[[ "$faults" -eq 0 ]] || exit 1
printf 'every crate depends on what it may\n'
