#!/usr/bin/env bash
# Unpacks OpenCV's object detection (headers and static library) out of Debian's package, which is not installed: on Debian 12 it
# depends on Qt, GDAL and 80 other packages, none of which what we link needs.
# usage: tools/opencv/unpack.sh PREFIX    (nothing is done when PREFIX already holds it, in the version of the installed OpenCV)
set -euo pipefail

prefix=$(mkdir -p "$1" && cd "$1" && pwd)
version=$(dpkg-query -W -f='${Version}' libopencv-core-dev)
stamp=$prefix/unpacked-from
if [[ -f $stamp && $(<"$stamp") == "$version" ]]; then exit 0; fi

work=$prefix/work
rm -rf "$work" "$prefix/include" "$prefix/lib"
mkdir -p "$work/package"
(cd "$work" && apt-get download -q -o APT::Sandbox::User=root "libopencv-objdetect-dev=$version") >"$work/apt.log" 2>&1 ||
  { cat "$work/apt.log" >&2; exit 1; }
dpkg-deb -x "$work"/libopencv-objdetect-dev_*.deb "$work/package"
mkdir "$prefix/lib"
mv "$work/package/usr/include/opencv4" "$prefix/include"
mv "$work"/package/usr/lib/*/libopencv_objdetect.a "$prefix/lib"
rm -rf "$work"
echo "$version" >"$stamp"
