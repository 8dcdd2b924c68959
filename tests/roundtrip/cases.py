"""The table of sources. A case makes one with ffmpeg, or is a clip of media/, and names the containers to come back in."""
from dataclasses import dataclass, field

ALL = ("mp4", "mkv", "ts", "nut", "fmp4")


@dataclass
class Case:
    name: str
    group: str
    extension: str = ""  # of the source that is made
    make: str = ""  # ffmpeg's arguments before the output's name; steps: "... -> FIRST.mp4 ; ..."; alternatives: "... | ..."
    clip: str = ""  # a clip in media/ instead
    into: tuple = ALL
    split: tuple = field(default=())  # more arguments for gopline split


PICTURE = "-f lavfi -i testsrc2=size=192x108:rate=25:duration=5"
SLOW_PICTURE = "-f lavfi -i testsrc2=size=96x64:rate=10:duration=85"
SOUND = "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=5"
CD_SOUND = "-f lavfi -i sine=frequency=330:sample_rate=44100:duration=5"
X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -threads 1"
H264 = f"{X264} -bf 2 -g 25"
BASELINE = f"{X264} -profile:v baseline -bf 0 -g 25"
OPEN_GOP = f"{X264} -bf 3 -g 25 -x264-params open-gop=1:b-pyramid=none"
HEVC = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p -x265-params log-level=none:keyint=25:pools=1"
VP9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25"
MPEG2 = "-c:v mpeg2video -g 12 -bf 2"
AAC = "-c:a aac"
FRAGMENTS = "-movflags frag_keyframe+empty_moov+default_base_moof"
COLOURS = "-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv"
HDR = ("-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc "
       "-x265-params log-level=none:keyint=25:pools=1:hdr10=1:max-cll=1000,400:"
       "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)")
NOT_TS = ("mp4", "mkv", "nut", "fmp4")

CASES = [
    # What cameras and phones make.
    Case("h264_bframes_aac", "h264", "mp4", f"{PICTURE} {SOUND} {H264} {AAC}"),
    Case("h264_open_gop", "h264", "mp4", f"{PICTURE} {OPEN_GOP}"),
    Case("h264_baseline", "h264", "mp4", f"{PICTURE} {BASELINE}"),
    Case("h264_from_fragments", "h264", "mp4", f"{PICTURE} {SOUND} {H264} {AAC} {FRAGMENTS}"),
    Case("h264_from_mkv", "h264", "mkv", f"{PICTURE} {SOUND} {H264} {AAC}"),
    Case("h264_from_mov", "h264", "mov", f"{PICTURE} {SOUND} {H264} {AAC}"),
    Case("h264_from_flv", "h264", "flv", f"{PICTURE} {CD_SOUND} {H264} {AAC}"),
    Case("h264_from_avi", "h264", "avi", f"{PICTURE} {SOUND} {BASELINE} -c:a libmp3lame"),
    Case("h264_long_gop", "h264", "mp4", f"{SLOW_PICTURE} {X264} -bf 2 -g 2000 -sc_threshold 0"),
    Case("street", "h264", clip="street.mp4"),
    Case("cup", "h264", clip="cup.mp4"),
    Case("bunny", "h264", clip="bunny.mp4"),
    Case("hevc", "codecs", "mp4", f"{PICTURE} {HEVC}"),
    Case("hevc_open_gop", "codecs", clip="street_hevc.mp4"),
    Case("av1", "codecs", clip="street_av1.mp4", into=NOT_TS),
    Case("vp9_opus_webm", "codecs", "webm", f"{PICTURE} {SOUND} {VP9} -c:a libopus", into=NOT_TS),
    Case("mjpeg_pcm_mov", "codecs", "mov", f"{PICTURE} {SOUND} -c:v mjpeg -c:a pcm_s16le", into=("mkv", "nut")),
    Case("mjpeg_avi", "codecs", "avi", f"{PICTURE} -c:v mjpeg", into=("mkv", "nut", "mp4", "fmp4")),
    Case("mpeg4_asp_avi", "codecs", "avi", f"{PICTURE} {CD_SOUND} -c:v mpeg4 -bf 2 -g 25 -c:a libmp3lame"),
    Case("mpeg4_v3_avi", "codecs", clip="street.avi", into=("mkv", "nut")),
    Case("g711_with_video", "codecs", clip="door_g711.mkv", into=("mkv", "nut")),
    Case("vp8_vorbis", "codecs", "webm", f"{PICTURE} {SOUND} -c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis",
         into=("mkv", "nut")),
    Case("prores", "codecs", "mov", f"{PICTURE} -c:v prores_ks", into=("mkv", "nut")),
    Case("hevc_hdr", "codecs", "mp4", f"{PICTURE} {HDR}"),
    # MPEG-TS and raw streams: Annex B and ADTS.
    Case("ts_h264_aac", "transport", "ts", f"{PICTURE} {SOUND} {H264} {AAC}"),
    Case("ts_open_gop", "transport", "ts", f"{PICTURE} {OPEN_GOP}"),
    Case("ts_hevc", "transport", "ts", f"{PICTURE} {HEVC}"),
    Case("ts_mpeg2_mp2", "transport", "ts", f"{PICTURE} {SOUND} {MPEG2} -c:a mp2"),
    Case("ts_late_start", "transport", "ts", f"{PICTURE} {SOUND} {H264} {AAC} -output_ts_offset 4000"),
    Case("mpeg_ps", "transport", "mpg", f"{PICTURE} {SOUND} {MPEG2} -c:a mp2"),
    Case("ts_counter_wraps", "transport", "ts", f"{PICTURE} {SOUND} {H264} {AAC} -output_ts_offset 95441"),
    Case("ts_ac3", "transport", "ts", f"{PICTURE} {SOUND} {H264} -c:a ac3"),
    Case("raw_h264", "transport", "h264", f"{PICTURE} {H264}", into=("mp4", "mkv", "fmp4")),
    Case("raw_adts", "transport", "aac", f"{SOUND} {AAC}"),
    # Sound alone.
    Case("aac_only", "sound", "m4a", f"{CD_SOUND} {AAC}"),
    Case("opus_only", "sound", "opus", f"{SOUND} -c:a libopus", into=NOT_TS),
    Case("opus_webm", "sound", "webm", f"{SOUND} -c:a libopus", into=NOT_TS),
    Case("mp3_only", "sound", "mp3", f"{CD_SOUND} -c:a libmp3lame"),
    Case("vorbis_ogg", "sound", "ogg", f"{CD_SOUND} -c:a libvorbis", into=("mkv", "nut")),
    Case("flac", "sound", "flac", f"{CD_SOUND} -c:a flac", into=("mkv", "mp4", "fmp4")),
    Case("wav", "sound", "wav", f"{CD_SOUND} -c:a pcm_s16le", into=("mkv", "nut")),
    Case("encoder_delay", "sound", "m4a", f"{SOUND} {AAC} -frame_size 1024"),
    # Times and tracks.
    Case("two_sounds", "tracks", "mp4",
         f"{PICTURE} {SOUND} {CD_SOUND} -map 0 -map 1 -map 2 {H264} {AAC} -metadata:s:a:0 language=deu -metadata:s:a:1 language=eng"),
    Case("subtitles_mp4", "tracks", "mp4",
         f"{PICTURE} -f srt -i SUBTITLES -map 0 -map 1 {H264} -c:s mov_text", into=("mp4", "mkv", "fmp4")),
    Case("subtitles_mkv", "tracks", "mkv", f"{PICTURE} -f srt -i SUBTITLES -map 0 -map 1 {H264} -c:s srt"),
    Case("timecode_data_track", "tracks", "mov", f"{PICTURE} {H264} -timecode 10:00:00:00"),
    Case("variable_frame_rate", "tracks", "mp4",
         f"{PICTURE} {X264} -bf 2 -g 25 -vf setpts='(N+floor(N/7)*3+floor(N/11)*5)/25/TB' -fps_mode passthrough"),
    Case("edit_list", "tracks", "mp4", "-ss 1.3 -i CLIP:street.mp4 -c copy"),
    Case("late_sound", "tracks", "mp4", f"{PICTURE} -itsoffset 0.7 {SOUND} {H264} {AAC}"),
    Case("late_picture", "tracks", "mkv", f"-itsoffset 0.7 {PICTURE} {SOUND} {H264} {AAC}"),
    Case("odd_time_base", "tracks", "mp4", f"{PICTURE} {H264} -r 30000/1001 -video_track_timescale 26777"),
    Case("ntsc", "tracks", "mkv", f"{PICTURE} {SOUND} {H264} {AAC} -r 24000/1001"),
    Case("start_not_zero", "tracks", "mkv", f"{PICTURE} {SOUND} {H264} {AAC} -output_ts_offset 100"),
    Case("rotation_and_colour", "tracks", "mp4", f"{PICTURE} {H264} {COLOURS} -> FIRST.mp4 ; -display_rotation 90 -i FIRST.mp4 -c copy"
         f" | {PICTURE} {H264} {COLOURS} -metadata:s:v rotate=90"),
    Case("anamorphic", "tracks", "mp4", f"{PICTURE} {H264} -vf setsar=4/3"),
]
