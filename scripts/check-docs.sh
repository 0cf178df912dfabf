#!/usr/bin/env bash
# Checks that the documents name what exists: every path of a file or folder of
# this repository in backticks, with its `Type::function` or `function` where one
# is named beside it, every relative link, and every decision in the list of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

faults=0
fault() {
    printf '%s\n' "$1" >&2
    faults=$((faults + 1))
}

mapfile -t documents < <(find . -maxdepth 1 -name '*.md' -printf '%P\n'; find docs -name '*.md' | sort)
for document in "${documents[@]}"; do
    folder="$(dirname "$document")"

    # `crates/gradus-core/src/plan.rs`, from the root of the repository.
    while IFS=: read -r line path; do
        [[ -e "$path" ]] || fault "$document:$line: \`$path\` does not exist"
    done < <(grep -noE '`(crates|docs|scripts|\.ci|\.github)/[A-Za-z0-9_./-]+`' "$document" | tr -d '`' || true)

    # `crates/gradus-core/src/plan.rs` (`plan`, `Engine::look`): what is named is defined in that file. Text is
    # wrapped, so a file and its names may be on two lines.
    while read -r match; do
        path="$(sed -E 's/^`([^`]+)`.*/\1/' <<<"$match")"
        [[ -f "$path" ]] || continue
        while read -r name; do
            grep -qE "\b(fn|struct|enum|trait|type|const|static|mod) ${name##*::}\b" "$path" \
                || fault "$document: $path does not define \`$name\`"
        done < <(sed -E 's/^`[^`]+` \(//; s/\)$//; s/`//g; s/, /\n/g' <<<"$match")
    done < <(tr -s '\n ' ' ' <"$document" \
        | grep -oE '`crates/[A-Za-z0-9_./-]+` \(`[A-Za-z0-9_:]+`(, `[A-Za-z0-9_:]+`)*\)' || true)

    # [text](path#part), relative to the document.
    while IFS=: read -r line link; do
        [[ -e "$folder/$link" ]] || fault "$document:$line: the link to $link leads nowhere"
    done < <(grep -noE '\]\([^)# ]+' "$document" | sed -E 's/\]\(//' | grep -vE ':[a-z]+:' || true)
done

for decision in docs/decisions/[0-9]*.md; do
    name="$(basename "$decision")"
    grep -qF "($name)" docs/decisions/README.md || fault "docs/decisions/README.md does not list $name"
done

# Every reason has its line, and no line is left of a reason that is no more.
codes() {
    find crates/gradus-core/src/reason.rs crates/gradus-core/src/reason -name '*.rs' 2>/dev/null \
        | xargs grep -ohE 'Self::[A-Za-z]+( \{ \.\. \})? => "[a-z-]+",' | grep -oE '"[a-z-]+"' | tr -d '"' | sort || true
}
listed() { grep -oE '^\| `[a-z-]+`' docs/reason-codes.md | grep -oE '[a-z-]+[a-z]' | sort; }
while read -r difference; do
    fault "docs/reason-codes.md and the codes in crates/gradus-core/src/reason.rs differ: $difference"
done < <(diff <(listed) <(codes) | grep '^[<>]' || true)

if [[ "$faults" -gt 0 ]]; then
    printf '%s faults in the documents\n' "$faults" >&2
    exit 1
fi
printf '%s documents name what exists\n' "${#documents[@]}"
