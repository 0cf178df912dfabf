#!/usr/bin/env bash
# Runs gradus once for a job, as GRADUS_CI_* say (see action.yml), and tells the
# job's summary what came of it. Nothing is downloaded but an image that is named
# with its digest.
set -euo pipefail

readonly command="${GRADUS_CI_COMMAND:-plan}"
version="${GRADUS_CI_VERSION:-}"
reason="${GRADUS_CI_REASON:-}"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

# What is empty is as if it were not set.
for name in GRADUS_TOKEN GRADUS_GIT_USER GRADUS_GIT_TOKEN; do
    [[ -n "${!name:-}" ]] || unset "$name"
done

summary() { printf '%s\n' "$@" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"; }
output() { printf '%s=%s\n' "$1" "$2" >>"${GITHUB_OUTPUT:-/dev/null}"; }

# What a workflow command may hold: one line.
escaped() {
    local text="${1//'%'/%25}"
    text="${text//$'\r'/%0D}"
    printf '%s' "${text//$'\n'/%0A}"
}

fail() {
    printf '::error title=gradus::%s\n' "$(escaped "$1")"
    summary "### gradus $command" "" "$1"
    output exit-code 64
    exit 64
}

# Ends well, because there is nothing to do.
nothing() {
    printf '%s\n' "$1"
    summary "### gradus $command" "" "Nothing: $1."
    output exit-code 0
    output changes false
    exit 0
}

# The version that an event of Flux tells, if it is about one that works.
# A rollback is an event without severity, too, and tells the version before.
read_event() {
    command -v jq >/dev/null || fail "to read an event, jq has to be on the runner"
    local event="$GRADUS_CI_EVENT" kind type severity why from told
    jq -e 'type == "object"' <<<"$event" >/dev/null 2>&1 || fail "the event is no JSON object"
    of() { jq -r "$1 // \"\"" <<<"$event"; }
    kind="$(of .involvedObject.kind)"
    [[ "$kind" == HelmRelease ]] || nothing "the event is about ${kind:-nothing}, not a HelmRelease"
    type="HelmRelease/$(of .involvedObject.name).$(of .involvedObject.namespace)"
    [[ -z "${GRADUS_CI_EVENT_TYPE:-}" || "$GRADUS_CI_EVENT_TYPE" == "$type" ]] \
        || fail "the dispatch is of the type $GRADUS_CI_EVENT_TYPE, but its event is about $type"
    severity="$(of .severity)"
    [[ "$severity" == info ]] || nothing "the severity of the event is ${severity:-not told}"
    why="$(of .reason)"
    case "$why" in
        InstallSucceeded | UpgradeSucceeded | TestSucceeded) ;;
        *) nothing "${why:-an event without a reason} does not say that a version works" ;;
    esac
    from="$(of '.metadata.env // (.metadata.summary // "" | capture("(^|[ ,;])env=(?<env>[^ ,;]+)").env)')"
    if [[ -n "${GRADUS_CI_FROM:-}" && "$from" != "$GRADUS_CI_FROM" ]]; then
        nothing "the event is of ${from:-no environment}, not of $GRADUS_CI_FROM"
    fi
    told="$(of '.metadata.revision // .metadata["helm.toolkit.fluxcd.io/revision"]')"
    # Of a chart from a registry the digest is told behind the version.
    [[ ! "$told" =~ ^(.+)\+[0-9a-f]{12}$ ]] || told="${BASH_REMATCH[1]}"
    version="${version:-$told}"
    [[ "$version" =~ ^[0-9A-Za-z][0-9A-Za-z.+_-]*$ ]] || fail "the event tells no version that can be promoted"
    [[ -n "$reason" ]] || reason="$type: $why"
}

if [[ -n "${GRADUS_CI_EVENT:-}" && "${GRADUS_CI_EVENT:-}" != null ]]; then
    [[ "$command" == promote ]] || fail "an event begins a promotion: say command: promote"
    read_event
fi

arguments=("$command")
pipelines=()
read -ra pipelines <<<"${GRADUS_CI_PIPELINE:-}" || true
for pipeline in "${pipelines[@]}"; do
    [[ "$pipeline" != -* ]] || fail "$pipeline is no name of a pipeline"
done
case "$command" in
    plan) arguments+=("${pipelines[@]}") ;;
    promote | explain)
        [[ ${#pipelines[@]} -eq 1 ]] || fail "$command is about one pipeline: say which"
        arguments+=("${pipelines[0]}")
        if [[ "$command" == promote ]]; then
            [[ -z "${GRADUS_CI_ENVIRONMENT:-}" ]] || arguments+=("--to=$GRADUS_CI_ENVIRONMENT")
            [[ -z "$version" ]] || arguments+=("--version=$version")
            [[ -z "$reason" ]] || arguments+=("--reason=$reason")
        elif [[ -n "${GRADUS_CI_ENVIRONMENT:-}" ]]; then
            [[ "$GRADUS_CI_ENVIRONMENT" != -* ]] || fail "$GRADUS_CI_ENVIRONMENT is no name of an environment"
            arguments+=("$GRADUS_CI_ENVIRONMENT")
        fi
        ;;
    *) fail "there is no command $command here; there are plan, promote and explain" ;;
esac
if [[ -n "${GRADUS_CI_SERVER:-}" ]]; then
    arguments+=("--server=$GRADUS_CI_SERVER")
else
    [[ -z "${GRADUS_CI_CONFIG:-}" ]] || arguments+=("--config=$GRADUS_CI_CONFIG")
    data="${GRADUS_CI_DATA:-}"
    [[ -n "$data" || "$command" != promote ]] || data="$scratch/data"
    [[ -z "$data" ]] || arguments+=("--data=$data")
fi

if [[ -n "${GRADUS_CI_IMAGE:-}" ]]; then
    [[ "$GRADUS_CI_IMAGE" =~ @sha256:[0-9a-f]{64}$ ]] \
        || fail "the image has to be named with its digest, as NAME@sha256:...: a tag may be another one tomorrow"
    run=(docker run --rm --network=host --user "$(id -u):$(id -g)" --workdir "$PWD")
    run+=(--volume "$PWD:$PWD" --volume "$scratch:$scratch" --entrypoint /usr/local/bin/gradus)
    for name in GRADUS_TOKEN GRADUS_GIT_USER GRADUS_GIT_TOKEN HTTPS_PROXY HTTP_PROXY NO_PROXY; do
        [[ -z "${!name:-}" ]] || run+=(--env "$name")
    done
    run+=("$GRADUS_CI_IMAGE")
else
    program="${GRADUS_CI_PROGRAM:-gradus}"
    command -v "$program" >/dev/null \
        || fail "there is no program $program on the runner: install it in a step before, or say image"
    run=("$program")
fi

code=0
"${run[@]}" "${arguments[@]}" >"$scratch/told" 2>"$scratch/noted" </dev/null || code=$?
cat "$scratch/told"
cat "$scratch/noted" >&2

changes=false
case "$command:$code" in
    plan:2)
        changes=true
        code=0
        ;;
    promote:0) changes=true ;;
esac

title="gradus $command"
[[ "$command" != promote ]] || title+=" ${pipelines[0]}${GRADUS_CI_ENVIRONMENT:+ to $GRADUS_CI_ENVIRONMENT}${version:+: $version}"
summary "### $title" ""
# Four of them, for what is told may hold three.
[[ ! -s "$scratch/told" ]] || summary '````text' "$(cat "$scratch/told")" '````' ""
if [[ -s "$scratch/noted" ]]; then
    summary "**On the side**" "" '````text' "$(cat "$scratch/noted")" '````' ""
fi
if [[ "$code" -ne 0 ]]; then
    printf '::error title=gradus::%s\n' "$(escaped "$(head -c 2000 "$scratch/noted")")"
    summary "It failed with $code." ""
fi
output exit-code "$code"
output changes "$changes"
output version "$version"
exit "$code"
