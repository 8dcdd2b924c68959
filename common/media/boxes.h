#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace gopline::media {

// A box of an ISO base media file (ISO/IEC 14496-12, 4.2), as a view into the bytes it was found in.
struct BoxView {
  std::string_view type;  // four characters; "uuid" boxes: extended_type is set
  std::span<const std::uint8_t> extended_type;
  std::uint64_t offset = 0;               // of the box, from the beginning of the parsed range
  std::uint64_t size = 0;                 // with its header
  std::span<const std::uint8_t> payload;  // after the header (and the extended type)
};

// Walks the boxes that lie one after the other in `bytes`. next() gives false at the end; failed() tells an
// end from bytes that are no box: a size below the header's or beyond the range.
class BoxWalker {
 public:
  explicit BoxWalker(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool next(BoxView& box);
  bool failed() const { return failed_; }
  std::uint64_t position() const { return at_; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::uint64_t at_ = 0;
  bool failed_ = false;
};

// Where boxes end in bytes that come piece by piece: walks their headers and looks at nothing else.
class BoxEnds {
 public:
  void add(std::span<const std::uint8_t> bytes);  // they follow those before
  // The bytes so far end with a whole box of this type.
  bool is_behind(std::string_view type) const { return left_ == 0 && header_.empty() && type_ == type; }

 private:
  bool read_header();

  std::string header_;      // of a box, as far as it has come
  std::uint64_t left_ = 0;  // of the box in hand; UINT64_MAX: no box, or one that ends nowhere
  std::string type_;
};

// The first child of that type; type is empty when there is none.
BoxView find_box(std::span<const std::uint8_t> bytes, std::string_view type);

}  // namespace gopline::media
