#!/bin/sh
# The newest segment of a stream, or the one at OFFSET[,OFFSET...] of PARTITION, decoded by ffmpeg. Needs kcat and ffmpeg.
#   kcat_frames.sh 127.0.0.1:9092 gopline street                            a hash of every picture (framemd5)
#   kcat_frames.sh 127.0.0.1:9092 gopline street -frames:v 1 picture.png    a picture: options of ffmpeg for the output
#   kcat_frames.sh 127.0.0.1:9092 gopline street --at 0 1,2 out.mkv         the records at offsets 1 and 2 of partition 0
set -eu
brokers=$1 namespace=$2 stream=$3
shift 3
read_topic() (
  topic=$1 && shift
  kcat -b "$brokers" -q -C -e -t "$namespace.$topic" "$@"
)

if [ "${1:-}" = --at ]; then
  partition=$2 offsets=$3
  shift 3
else
  # The newest state of each stream is in NS.streams: its partition is the same in the index and in the segments.
  partition=$(read_topic streams -o beginning -f '%k\t%s\n' |
    awk -F '\t' -v stream="$stream" '$1 == stream { state = $2 } END { print state }' |
    sed -n 's/.*"partition":\([0-9]*\).*/\1/p')
  if [ -z "$partition" ]; then echo "there is no stream '$stream' in $namespace.streams" >&2 && exit 1; fi
  # An index entry names the offsets of its segment's chunks.
  offsets=$(read_topic index -p "$partition" -o beginning -f '%k\t%h\t%s\n' |
    awk -F '\t' -v stream="$stream" '$1 == stream && $2 ~ /ce_type=gopline.index.v1,/ { entry = $3 } END { print entry }' |
    sed -n 's/.*"offsets":\[\([0-9,]*\)\].*/\1/p')
fi

if [ $# = 0 ]; then set -- -map 0:v -f framemd5 -; fi
segment=$(mktemp)
trap 'rm "$segment"' EXIT
for offset in $(echo "$offsets" | tr , ' '); do
  read_topic segments -p "$partition" -o "$offset" -c 1 -f %s # the bytes of the record and nothing else
done >"$segment"
ffmpeg -nostdin -v error -y -i "$segment" "$@"
