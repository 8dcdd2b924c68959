#!/usr/bin/env bash
# make_source.sh FOLDER [MEGABYTES]
# Makes FOLDER/source.mp4: distinct 8 Mbit/s 1080p25 H.264 with B-frames and a GOP of 2 s, at least MEGABYTES (default 2100)
# long. Every piece has its own noise, so no two GOPs are alike. Put FOLDER on tmpfs. Takes about 0.4 CPU-seconds a megabyte.
set -euo pipefail
folder=$1 megabytes=${2:-2100}
piece_seconds=256
pieces=$(((megabytes + piece_seconds - 1) / piece_seconds)) # a second is a megabyte, near enough
mkdir -p "$folder"
list=$folder/pieces.txt
: >"$list"
for ((i = 0; i < pieces; i++)); do
  piece=$folder/piece$i.mp4
  if [[ ! -f $piece ]]; then
    ffmpeg -v error -y -f lavfi -i "testsrc2=s=1920x1080:r=25,noise=alls=12:allf=t:all_seed=$((i + 1))" -t $piece_seconds \
      -c:v libx264 -preset ultrafast -b:v 8M -maxrate 8M -bufsize 16M -g 50 -keyint_min 50 -sc_threshold 0 -bf 2 \
      -pix_fmt yuv420p "$piece.part.mp4"
    mv "$piece.part.mp4" "$piece"
  fi
  echo "file '$(basename "$piece")'" >>"$list"
  echo "make_source: piece $((i + 1)) of $pieces"
done
ffmpeg -v error -y -f concat -safe 0 -i "$list" -c copy "$folder/source.mp4"
rm -f "$folder"/piece*.mp4 "$list"
ls -l "$folder/source.mp4"
