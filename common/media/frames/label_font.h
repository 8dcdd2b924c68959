#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace gopline::media {

// Text as a bitmap: how much of each pixel it covers, 0 to 255, row by row.
struct TextBitmap {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> coverage;
};

// One line of text at a time, in the machine's own sans-serif font. Not thread-safe.
class LabelFont {
 public:
  // `pixels`: height of a line, about. kNotFound: this machine has no font; the message says which package
  // has one.
  static Result<std::unique_ptr<LabelFont>> open(int pixels);
  ~LabelFont();
  LabelFont(const LabelFont&) = delete;
  LabelFont& operator=(const LabelFont&) = delete;

  // Of UTF-8; what is none is shown as U+FFFD.
  TextBitmap render(std::string_view text);

 private:
  struct Face;
  struct Glyph {
    int left = 0, top = 0, width = 0, height = 0, advance = 0;
    std::vector<std::uint8_t> coverage;
  };

  explicit LabelFont(std::unique_ptr<Face> face);
  const Glyph& glyph(char32_t character);

  std::unique_ptr<Face> face_;
  std::map<char32_t, Glyph> glyphs_;
};

}  // namespace gopline::media
