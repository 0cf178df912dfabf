#!/usr/bin/env bash
# Prints krew's manifest for a release.
#
#     plugins/krew/fill.sh TAG SHA256SUMS
#
# TAG as in v1.2.3; SHA256SUMS is the file of that name in the release.
set -euo pipefail
[[ $# -eq 2 ]] || { sed -n '2,6p' "${BASH_SOURCE[0]}" >&2; exit 64; }

text="$(cat "$(dirname "${BASH_SOURCE[0]}")/gradus.yaml")"
text="${text//@TAG@/$1}"
while read -r sum file; do
    text="${text//@SHA256:${file#\*}@/$sum}"
done <"$2"
if missing="$(grep -oE '@SHA256:[^@]+@' <<<"$text")"; then
    printf 'no checksum in %s: %s\n' "$2" "$missing" >&2
    exit 1
fi
printf '%s\n' "$text"
