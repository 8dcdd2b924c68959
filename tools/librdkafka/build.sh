#!/usr/bin/env bash
# Builds librdkafka as a static library from the source package of Debian 13, for a Debian whose own is older than 2.8.
# usage: tools/librdkafka/build.sh PREFIX    (nothing is done when PREFIX already holds it)
#
# The source comes by apt from the mirror this machine already uses, with lists and caches of its own: the system's package
# lists stay as they are. Static, so that the system's librdkafka, which other packages bring in, can never be loaded instead.
set -euo pipefail

readonly kVersion=2.8.0-1
prefix=$(mkdir -p "$1" && cd "$1" && pwd)
stamp=$prefix/built-from
if [[ -f $stamp && $(<"$stamp") == "$kVersion" ]]; then exit 0; fi

work=$prefix/work
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/archives/partial"

# Debian's mirror as apt itself reads it, from either form of source list.
# shellcheck disable=SC2016  # apt's variables, not ours
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' |
  grep -v -e security -e updates | sort -u | head -n 1)
if [[ -z $mirror ]]; then
  # shellcheck disable=SC2016
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/$' | sort -u | head -n 1)
fi
[[ $mirror ]] || { echo "librdkafka: apt knows no Debian mirror to take the source from" >&2; exit 1; }
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
printf 'deb-src [signed-by=%s] %s trixie main\n' "$keyring" "$mirror" >"$work/sources.list"

own_apt=(-o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work" -o "Dir::Cache::Archives=$work/archives" -o APT::Sandbox::User=root)
apt-get "${own_apt[@]}" update -q >"$work/apt.log" 2>&1 || { cat "$work/apt.log" >&2; exit 1; }
(cd "$work" && apt-get "${own_apt[@]}" source -q --download-only "librdkafka=$kVersion") >>"$work/apt.log" 2>&1 ||
  { cat "$work/apt.log" >&2; exit 1; }

mkdir "$work/source"
tar -xf "$work"/librdkafka_*.orig.tar.* -C "$work/source" --strip-components=1
cmake -S "$work/source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" \
  -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DRDKAFKA_BUILD_STATIC=ON -DRDKAFKA_BUILD_TESTS=OFF \
  -DRDKAFKA_BUILD_EXAMPLES=OFF -DWITH_SSL=ON -DWITH_SASL=OFF -DWITH_SASL_SCRAM=ON -DWITH_SASL_OAUTHBEARER=ON \
  -DWITH_CURL=ON -DWITH_ZLIB=ON -DWITH_ZSTD=ON -DENABLE_LZ4_EXT=OFF >"$work/cmake.log" 2>&1 || { tail -n 30 "$work/cmake.log" >&2; exit 1; }
cmake --build "$work/build" -j "${JOBS:-$(nproc)}" --target install >"$work/build.log" 2>&1 || { tail -n 30 "$work/build.log" >&2; exit 1; }
rm -rf "$work"
echo "$kVersion" >"$stamp"
