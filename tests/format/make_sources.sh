#!/bin/sh
# make_sources.sh: makes the tiny clips behind the golden files from FFmpeg's own test pictures and tones, and writes down
# what ffprobe says of their packets: the truth that readers are held to. Run once, with FFmpeg 5.1; the clips are kept,
# because encoders change.
# shellcheck disable=SC2086  # the variables below are lists of words on purpose
set -eu
golden=$(cd "$(dirname "$0")/../golden/v1" && pwd)
picture="-f lavfi -i testsrc2=size=160x120:rate=25:duration=3"
tone="-f lavfi -i sine=frequency=440:sample_rate=48000:duration=3"
x264="-c:v libx264 -preset veryfast -b:v 60k -x264-params threads=1"
exact="-bitexact -fflags +bitexact -map_metadata -1"

make_clip() {  # CASE FILE ARGUMENTS...
  mkdir -p "$golden/$1"
  file=$golden/$1/$2
  shift 2
  ffmpeg -nostdin -v error -y "$@" $exact "$file"
  # In source order: [stream, pts, dts, duration, flags, size, sha256 of the data, [side data types]]
  ffprobe -v error -show_packets -show_data_hash sha256 -of json "$file" | "$(dirname "$0")/packets.py" > "$(dirname "$file")/packets.json"
}

make_clip h264_aac source.mp4 $picture $tone $x264 -g 25 -bf 2 -c:a aac -b:a 32k
make_clip hevc source.mp4 $picture -c:v libx265 -preset veryfast -b:v 60k -g 25 -x265-params log-level=error:pools=1:open-gop=0 -tag:v hvc1
make_clip av1 source.mp4 $picture -c:v libsvtav1 -preset 10 -b:v 60k -g 25
make_clip opus source.webm $tone -c:a libopus -b:a 24k
make_clip g711 source.mkv $picture $tone $x264 -g 25 -bf 0 -ar 8000 -c:a pcm_alaw
make_clip open_gop source.mp4 $picture -c:v libx264 -preset veryfast -b:v 60k -x264-params threads=1:open-gop=1:keyint=25:min-keyint=25:bframes=2:b-adapt=0:scenecut=0
make_clip continuation source.mp4 $picture $x264 -g 250 -bf 0
make_clip multi_part source.mp4 $picture $tone $x264 -g 25 -bf 0 -c:a aac -b:a 32k
mkdir -p "$golden/low_latency" && cp "$golden/multi_part/source.mp4" "$golden/multi_part/packets.json" "$golden/low_latency/"
make_clip nut source.avi $picture -c:v msmpeg4 -b:v 60k -g 25
make_clip ts source.ts $picture $tone $x264 -g 25 -bf 2 -c:a aac -b:a 32k
make_clip no_pts source.avi $picture -c:v mpeg4 -b:v 60k -g 25 -bf 2
make_clip epochs source.mp4 -f lavfi -i testsrc2=size=64x48:rate=10:duration=3 $x264 -g 10 -bf 0

# What a TS carries comes out as libavformat converts it for mp4: the payloads to compare with are those of such a file.
ffmpeg -nostdin -v error -y -i "$golden/ts/source.ts" -c copy $exact "$golden/ts/as_mp4.mp4"
ffprobe -v error -show_packets -show_data_hash sha256 -of json "$golden/ts/as_mp4.mp4" | "$(dirname "$0")/packets.py" --payloads-for "$golden/ts/packets.json"
rm "$golden/ts/as_mp4.mp4"
