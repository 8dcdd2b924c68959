#!/usr/bin/env bash
# make.sh ORIGINALS: remakes the clips of this folder from the originals that README.md names.
# With Debian 12's ffmpeg (5.1.9) the result is this folder, byte for byte; other encoders make other bytes.
set -euo pipefail
export SVT_LOG=1  # errors alone
[[ $# -eq 1 ]] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
originals=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")"

(cd "$originals" && sha256sum --check --quiet) <<'SUMS'
45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf  vtest.avi
37db9cee98f70b1458985a15ad2e5b0183e90e24c281b534afcf812e5986154f  cup.mp4
f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd  big_buck_bunny_720p_1mb.mp4
SUMS

# One thread and no version strings: the same bytes on every machine.
make() { ffmpeg -nostdin -v error -y "${@:1:$#-1}" -fflags +bitexact -flags +bitexact -threads 1 "${@: -1}"; }

street=$originals/vtest.avi
cup=$originals/cup.mp4

install -m 644 "$cup" cup.mp4
install -m 644 "$originals/big_buck_bunny_720p_1mb.mp4" bunny.mp4

# The original packets, untouched: MPEG-4 version 3, which no MP4 can carry, and one key frame in 15 s.
make -i "$street" -t 15 -c copy street.avi

# An ordinary camera: H.264 with B-frames, a key frame every 2 s, AAC.
make -i "$street" -stream_loop -1 -i "$cup" -t 20 -map 0:v -map 1:a \
  -c:v libx264 -preset slow -crf 25 -g 20 -bf 3 -x264-params threads=1 -c:a aac -b:a 64k -ac 1 street.mp4

# HEVC with open GOPs: its random-access points are CRA pictures with leading pictures.
make -ss 20 -i "$street" -t 12 -c:v libx265 -preset medium -crf 27 -tag:v hvc1 \
  -x265-params keyint=20:min-keyint=20:open-gop=1:bframes=3:pools=none:frame-threads=1:log-level=error street_hevc.mp4

make -ss 40 -i "$street" -t 8 -c:v libsvtav1 -preset 8 -crf 40 -g 20 -svtav1-params lp=1 street_av1.mp4

# A door station: H.264 baseline without B-frames and G.711 sound.
make -ss 60 -i "$street" -i "$cup" -t 8 -map 0:v -map 1:a -c:v libx264 -profile:v baseline -crf 28 -g 20 \
  -x264-params threads=1 -c:a pcm_alaw -ar 8000 -ac 1 door_g711.mkv

sha256sum -- *.mp4 *.avi *.mkv
