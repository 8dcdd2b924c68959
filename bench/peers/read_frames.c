/* The peer of `gopline split --log null:`: opens a file as every FFmpeg program does and reads its packets to the end. */
#include <libavformat/avformat.h>
#include <stdio.h>

int main(int argc, char **argv) {
  AVFormatContext *input = NULL;
  AVPacket *packet = av_packet_alloc();
  long long packets = 0, bytes = 0;
  if (argc != 2 || !packet || avformat_open_input(&input, argv[1], NULL, NULL) < 0 || avformat_find_stream_info(input, NULL) < 0) {
    fprintf(stderr, "usage: read_frames FILE (a media file)\n");
    return 2;
  }
  while (av_read_frame(input, packet) >= 0) {
    packets++;
    bytes += packet->size;
    av_packet_unref(packet);
  }
  printf("%lld packets, %lld bytes\n", packets, bytes);
  av_packet_free(&packet);
  avformat_close_input(&input);
  return 0;
}
