#!/usr/bin/env bash
# Finds the real parts that tests start, and builds those that are not there.
#
#     scripts/test-tools.sh [NAME...]
#
# Prints one line for each, NAME and where it is; without names, all of them.
# Looked at in this order: the folder KUBEBUILDER_ASSETS names, PATH (only what
# has the wanted minor version), the cache, and then it is built from its Go
# module, which test-tools/ pins, or unpacked from its Debian package, into the cache:
# ${XDG_CACHE_HOME:-~/.cache}/gradus-test-tools/HASH/NAME, where HASH is of
# everything that decides what comes out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly kubernetes=1.36.3
readonly helm=3.21.4
readonly gitea=1.26.0
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/gradus-test-tools"
readonly names=(etcd kube-apiserver kube-controller-manager kube-scheduler kubectl kwok kwok-stages flux-crds helm gitea gitea-files jq forge-clients sshd)

# A workspace that this checkout happens to lie in is not asked.
export GOWORK=off
# What is asked for is printed here; all else that is said goes to standard error.
exec 3>&1 1>&2

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# For each: the folder in test-tools/ with its modules, how it is made, the
# package, and the flags of the linker. One line, since it is part of HASH.
recipe() {
    local version="-X k8s.io/component-base/version.gitVersion=v$kubernetes"
    version+=" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"
    case "$1" in
        etcd) echo etcd program go.etcd.io/etcd/server/v3 ;;
        kube-apiserver | kube-controller-manager | kube-scheduler | kubectl)
            echo kubernetes program "k8s.io/kubernetes/cmd/$1" "$version"
            ;;
        kwok) echo kwok program sigs.k8s.io/kwok/cmd/kwok ;;
        kwok-stages) echo kwok stages sigs.k8s.io/kwok ;;
        flux-crds) echo flux-crds crds ;;
        helm)
            # What a chart may ask of Kubernetes when no cluster is asked.
            local of=helm.sh/helm/v3/pkg
            version="-X helm.sh/helm/v3/internal/version.version=v$helm"
            version+=" -X $of/chartutil.k8sVersionMajor=1 -X $of/chartutil.k8sVersionMinor=36"
            version+=" -X $of/lint/rules.k8sVersionMajor=1 -X $of/lint/rules.k8sVersionMinor=36"
            echo helm program helm.sh/helm/v3/cmd/helm "$version"
            ;;
        gitea) echo gitea gitea code.gitea.io/gitea "-X main.Version=$gitea" ;;
        gitea-files) echo gitea gitea_files code.gitea.io/gitea ;;
        # One that is Go as well; what the scripts ask of it is what both know.
        jq) echo jq program github.com/itchyny/gojq/cmd/gojq ;;
        # From a package of Debian, whatever version is there today.
        sshd) echo - sshd openssh-server ;;
        # Ours, around clients of forges that others wrote.
        forge-clients) echo forge-clients own . ;;
        *) fail "there is no test tool $1; there are: ${names[*]}" ;;
    esac
}

# What the program on PATH says of its version if it is the wanted one. A folder
# that KUBEBUILDER_ASSETS names was chosen by somebody and is not asked.
wanted_version() {
    case "$1" in
        etcd) "$2" --version 2>&1 | grep -F 'etcd Version: 3.6.' ;;
        kubectl) "$2" version --client 2>&1 | grep -F "v${kubernetes%.*}." ;;
        kwok) "$2" --version 2>&1 | grep -F '0.7.' ;;
        helm) "$2" version --short 2>&1 | grep -F "v${helm%.*}." ;;
        # What is on PATH was built with its pages in it, or not; only ours is known.
        gitea) return 1 ;;
        # Every one of this century does.
        sshd) return 0 ;;
        # It has no versions.
        forge-clients) return 1 ;;
        jq) "$2" --version 2>&1 | grep -E '^jq-1\.[6-9]|^gojq' ;;
        *) "$2" --version 2>&1 | grep -F "v${kubernetes%.*}." ;;
    esac >/dev/null
}

# Below test-tools/$module, where go.mod decides.
build_program() {
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w ${2:-}" -o "$3" "$1"
}

# One that is written here.
build_own() {
    build_program "$@"
}

# What kwok does to Nodes and Pods, one file for its --config: as it is written
# in its module, Pods ready as soon as they have a node.
build_stages() {
    local module file
    go mod download "$1" || return 1
    module="$(go list -m -f '{{.Dir}}' "$1")" || return 1
    for file in "$module"/kustomize/stage/{node/fast/node-initialize,pod/fast/pod-ready,pod/fast/pod-complete,pod/fast/pod-delete}.yaml; do
        cat "$file" || return 1
        printf -- '---\n'
    done >"$3"
}

# With SQLite, which is C.
build_gitea() {
    CGO_ENABLED=1 go build -trimpath -tags 'sqlite sqlite_unlock_notify' -ldflags "-s -w ${2:-}" -o "$3" "$1"
}

# Its pages and texts, which it reads while it runs.
build_gitea_files() {
    local module
    go mod download "$1" || return 1
    module="$(go list -m -f '{{.Dir}}' "$1")" || return 1
    mkdir "$3" && cp -R "$module"/{templates,options,public} "$3" && chmod -R u+w "$3"
}

# The definitions of Flux's kinds, one file each, made from its types.
build_crds() {
    local paths=() group
    for group in helm-controller kustomize-controller source-controller; do
        paths+=("paths=github.com/fluxcd/$group/api/...")
    done
    go run sigs.k8s.io/controller-tools/cmd/controller-gen crd "${paths[@]}" output:crd:dir="$3"
}

# The package of Debian and what it needs besides, unpacked and not installed;
# `start` in it runs it. The wrapper lets it know users that the system does not:
# as root it wants one called sshd.
build_sshd() {
    local package
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        printf 'this is no Debian: install the server of OpenSSH so that sshd is on PATH or in /usr/sbin\n'
        return 1
    fi
    mkdir -p "$3/packages" && cd "$3/packages" || return 1
    apt-get download --quiet "$1" libwrap0 libnss-wrapper || {
        printf 'run this first, as root: apt-get update; or install the server of OpenSSH\n'
        return 1
    }
    for package in *.deb; do
        dpkg-deb --extract "$package" "$3" || return 1
    done
    rm -r "$3/packages"
    # Absolute, for it starts itself again; where it will be, not where it is made.
    cat >"$3/start" <<'END'
#!/bin/sh
here="$(cd "$(dirname "$0")" && pwd)"
libraries="$(dirname "$(find "$here/usr/lib" -name libnss_wrapper.so)")"
# Newer ones are several programs.
for part in session auth; do
    if [ -e "$here/usr/lib/openssh/sshd-$part" ]; then
        name="Sshd$(echo "$part" | sed 's/^s/S/; s/^a/A/')Path"
        set -- -o "$name=$here/usr/lib/openssh/sshd-$part" "$@"
    fi
done
LD_LIBRARY_PATH="$libraries" LD_PRELOAD="$libraries/libnss_wrapper.so" exec "$here/usr/sbin/sshd" "$@"
END
    chmod +x "$3/start"
}

# Makes $1 at $2. Nothing half made is ever there: what is made is moved, and
# who comes second waits for the first where the system has flock.
build() {
    local name="$1" wanted="$2" module how package flags begun=$SECONDS made
    read -r module how package flags < <(recipe "$name") || true
    [[ "$module" == - ]] || command -v go >/dev/null || fail \
        "$name has to be built, and there is no Go. Install Go 1.26 or newer:" \
        "    https://go.dev/doc/install, brew install go, or apt-get install golang-go where that is 1.26" \
        "or put a folder with $name in KUBEBUILDER_ASSETS."
    mkdir -p "$(dirname "$wanted")"
    (
        if command -v flock >/dev/null; then
            exec 9>"$wanted.lock"
            flock 9
        fi
        [[ -e "$wanted" ]] && exit 0
        printf 'building %s\n' "$name"
        made="$(mktemp -d "$(dirname "$wanted")/.$name.XXXXXX")"
        trap 'rm -rf "$made"' EXIT
        trap 'exit 1' INT TERM HUP
        ([[ "$module" == - ]] || cd "test-tools/$module" || exit 1; "build_$how" "$package" "$flags" "$made/$name") 9>&- || exit 1
        # Where nobody waits, two may have made it: one is as good as the other.
        [[ -e "$wanted" ]] || mv "$made/$name" "$wanted" || exit 1
        printf 'built %s in %ss\n' "$name" "$((SECONDS - begun))"
    ) || fail "$name could not be built; what was done is above"
}

# Leaves in `found` where $1 is, once it is there.
find_or_build() {
    local name="$1" module how hash
    if [[ -n "${KUBEBUILDER_ASSETS:-}" && -e "$KUBEBUILDER_ASSETS/$name" ]]; then
        found="$KUBEBUILDER_ASSETS/$name"
        return
    fi
    # Servers are where the path of people who are not root often does not lead.
    if found="$(PATH="$PATH:/usr/sbin" type -P "$name")"; then
        if wanted_version "$name" "$found"; then return; fi
        printf '%s is not used: another version is wanted\n' "$found"
    fi
    read -r module how _ < <(recipe "$name")
    local made_of=()
    if [[ "$module" != - ]]; then made_of=("test-tools/$module"/go.{mod,sum}); fi
    if [[ "$how" == own ]]; then made_of+=("test-tools/$module"/*.go); fi
    hash="$({ recipe "$name" && declare -f "build_$how" && cat /dev/null "${made_of[@]}"; } | git hash-object --stdin)"
    found="$cache/${hash:0:16}/$name"
    if [[ ! -e "$found" ]]; then build "$name" "$found"; fi
}

[[ $# -gt 0 ]] || set -- "${names[@]}"
for name in "$@"; do
    recipe "$name" >/dev/null
done
for name in "$@"; do
    find_or_build "$name"
    printf '%s %s\n' "$name" "$found" >&3
done
