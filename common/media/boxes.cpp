#include "common/media/boxes.h"

#include <algorithm>

#include "common/bytes/big_endian.h"

namespace gopline::media {

bool BoxWalker::next(BoxView& box) {
  if (at_ == bytes_.size() || failed_) return false;
  ByteReader in(bytes_.subspan(at_));
  std::uint64_t size = in.u32();
  auto type = in.raw(4);
  std::uint64_t header = 8;
  if (size == 1) {  // largesize
    size = in.u64();
    header = 16;
  } else if (size == 0) {  // to the end of the file
    size = bytes_.size() - at_;
  }
  if (in.ok() && std::string_view(reinterpret_cast<const char*>(type.data()), 4) == "uuid") {
    box.extended_type = in.raw(16);
    header += 16;
  } else {
    box.extended_type = {};
  }
  if (!in.ok() || size < header || size > bytes_.size() - at_) {
    failed_ = true;
    return false;
  }
  box.type = {reinterpret_cast<const char*>(type.data()), 4};
  box.offset = at_;
  box.size = size;
  box.payload = bytes_.subspan(at_ + header, size - header);
  at_ += size;
  return true;
}

void BoxEnds::add(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    if (left_ > 0) {
      auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      if (left_ != UINT64_MAX) left_ -= count;
      bytes = bytes.subspan(count);
      continue;
    }
    header_.push_back(static_cast<char>(bytes.front()));
    bytes = bytes.subspan(1);
    if (read_header()) header_.clear();
  }
}

// False: more of it is needed.
bool BoxEnds::read_header() {
  if (header_.size() < 8) return false;
  ByteReader in({reinterpret_cast<const std::uint8_t*>(header_.data()), header_.size()});
  std::uint64_t size = in.u32();
  in.skip(4);
  if (size == 1) {  // largesize
    if (header_.size() < 16) return false;
    size = in.u64();
  }
  type_ = header_.substr(4, 4);
  left_ = size < header_.size() ? UINT64_MAX : size - header_.size();
  return true;
}

BoxView find_box(std::span<const std::uint8_t> bytes, std::string_view type) {
  BoxWalker walker(bytes);
  BoxView box;
  while (walker.next(box)) {
    if (box.type == type) return box;
  }
  return {};
}

}  // namespace gopline::media
