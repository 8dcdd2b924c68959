#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/entry_cache.h"
#include "server/live_window.h"
#include "server/segment_rows.h"

// Media playlists (RFC 8216bis) out of what the records say, and of nothing else: every server makes the same
// ones.
namespace gopline::server {

// A part of a segment (EXT-X-PART).
struct PlaylistPart {
  std::string uri;
  Duration duration{0};
  bool is_independent = false;
};

// A segment of a playlist.
struct PlaylistItem {
  std::int64_t ordinal = 0;          // its media sequence number
  std::int64_t discontinuities = 0;  // its discontinuity sequence number
  Timestamp time;
  Duration duration{0};
  std::string uri;       // relative to the playlist
  std::string init_uri;  // of its EXT-X-MAP
  std::uint64_t at = 0,
                size = 0;      // EXT-X-BYTERANGE: where it lies at its address; size 0: it is all there is
  bool is_gap = false;         // EXT-X-GAP: nothing is there
  bool is_foreign = false;     // something is, but it lies in a form that no browser takes
  bool is_independent = true;  // it begins at an access point
  std::vector<PlaylistPart> parts;
  bool is_open = false;  // more parts are to come, and it has no address of its own yet
};

struct Playlist {
  std::vector<PlaylistItem> items;
  Duration target{0};  // EXT-X-TARGETDURATION, rounded up to seconds; no segment is longer
  bool is_vod = false;
  bool has_ended = false;
  Duration part_target{0};  // 0: there are no parts
  std::string next_part;    // which will come next (EXT-X-PRELOAD-HINT); empty: nobody knows
  std::size_t skipped = 0;  // items at the beginning that who asks has already (EXT-X-SKIP)
  std::string link;         // each address says it again (Viewer::link)
};

// The items of rows in a row (entries as EntryCache::get gives them). Where numbers are missing there stand
// gaps, as many, so that ordinals stay what they are. What the log does not keep any more (before `kept`) is
// left out at the beginning and a gap elsewhere; so is what no browser can be given. Late segments, which
// have no place in the count of the others, are left out unless `renumbered`: then items count from 0, as a
// VOD playlist may.
std::vector<PlaylistItem> playlist_items(const std::vector<SegmentRow>& rows,
                                         const std::vector<EntryPtr>& entries, Offset kept, bool renumbered);

// Where segments with a claim check lie as they were stored, with an init before them: at stored/NAME.mp4,
// from where who asks is sent to the store. `init_size`: of the stored init of such an entry; 0: it is not to
// be had so.
void send_to_stores(std::vector<PlaylistItem>& items, const std::vector<EntryPtr>& entries,
                    const std::function<std::uint64_t(const record::IndexEntry&)>& init_size);

// What stands behind the names of inits and segments that are transcoded, as they are other bytes: the sound
// alone; the pictures, and the sound if need be.
inline constexpr std::string_view kHeard = "-aac", kSeen = "-h264";
// Names those of entries that are. `ending`: one of these, or nothing for what stays as it is.
void name_transcoded(std::vector<PlaylistItem>& items, const std::vector<EntryPtr>& entries,
                     const std::function<std::string_view(const record::IndexEntry&)>& ending);

// An entry's init, as addresses name it: by its hash, or, where segments have none (NUT), by their epoch.
std::string init_name(const record::IndexEntry& entry);

// Adds what is known of the newest segments by their parts: the parts, segments that the index does not tell
// yet, and the one that is still being written. Nothing changes where they do not follow on the items.
// `ending`: as for name_transcoded().
void add_live_segments(Playlist& playlist, const std::vector<LiveSegment>& segments,
                       const std::function<std::string_view(const LiveSegment&)>& ending = {});

// How many items at the beginning need not be said again to who has them (RFC 8216bis, 4.4.5.2).
std::size_t skippable_items(const Playlist& playlist);

std::string render(const Playlist& playlist);

// "12-5": epoch and segment, as URIs name them. nullopt for other text.
std::string segment_name(EpochNumber epoch, SegmentNumber segment);
std::optional<std::pair<EpochNumber, SegmentNumber>> parse_segment_name(std::string_view name);

// "12-5-2": epoch, segment and part.
struct PartName {
  EpochNumber epoch;
  SegmentNumber segment;
  std::int64_t part = 0;
};
std::string part_name(const PartName& name);
std::optional<PartName> parse_part_name(std::string_view name);

}  // namespace gopline::server
