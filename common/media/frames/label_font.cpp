#include "common/media/frames/label_font.h"

#include <fontconfig/fontconfig.h>
#include <ft2build.h>

#include <algorithm>
#include <type_traits>

#include FT_FREETYPE_H

namespace gopline::media {
namespace {

constexpr std::size_t kMostGlyphs = 4096;
constexpr char32_t kReplacement = 0xFFFD;

struct FcDeleter {
  void operator()(FcConfig* p) const { FcConfigDestroy(p); }
  void operator()(FcPattern* p) const { FcPatternDestroy(p); }
};

Result<std::string> find_font() {
  std::unique_ptr<FcConfig, FcDeleter> config(FcInitLoadConfigAndFonts());
  std::unique_ptr<FcPattern, FcDeleter> wanted(
      FcNameParse(reinterpret_cast<const FcChar8*>("sans-serif:scalable=true")));
  if (config && wanted && FcConfigSubstitute(config.get(), wanted.get(), FcMatchPattern)) {
    FcDefaultSubstitute(wanted.get());
    FcResult result{};
    std::unique_ptr<FcPattern, FcDeleter> found(FcFontMatch(config.get(), wanted.get(), &result));
    FcChar8* path = nullptr;
    if (found && FcPatternGetString(found.get(), FC_FILE, 0, &path) == FcResultMatch)
      return std::string(reinterpret_cast<const char*>(path));
  }
  return fail(
      ErrorCode::kNotFound,
      "there is no font for labels: install one (fonts-dejavu-core), or leave them out (--no-labels)");
}

// The next character of UTF-8 text; what is none goes byte by byte.
char32_t next_character(std::string_view& text) {
  auto first = static_cast<unsigned char>(text.front());
  std::size_t length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 0;
  char32_t character = length == 1 ? first : first & (0x7F >> length);
  bool good = length > 0 && length <= text.size();
  for (std::size_t i = 1; good && i < length; ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    good = (byte & 0xC0) == 0x80;
    character = (character << 6) | (byte & 0x3F);
  }
  text.remove_prefix(good ? length : 1);
  return good ? character : kReplacement;
}

}  // namespace

struct LabelFont::Face {
  FT_Library library = nullptr;
  FT_Face face = nullptr;

  Face() = default;
  Face(const Face&) = delete;
  Face& operator=(const Face&) = delete;
  ~Face() {
    if (face) FT_Done_Face(face);
    if (library) FT_Done_FreeType(library);
  }
};

LabelFont::LabelFont(std::unique_ptr<Face> face) : face_(std::move(face)) {}
LabelFont::~LabelFont() = default;

Result<std::unique_ptr<LabelFont>> LabelFont::open(int pixels) {
  GOPLINE_ASSIGN(auto path, find_font());
  auto face = std::make_unique<Face>();
  bool good = FT_Init_FreeType(&face->library) == 0 &&
              FT_New_Face(face->library, path.c_str(), 0, &face->face) == 0 &&
              FT_Set_Pixel_Sizes(face->face, 0, static_cast<FT_UInt>(pixels)) == 0;
  if (!good)
    return fail(ErrorCode::kUnsupported,
                "{}: is no font that FreeType can read; labels need one (--no-labels)", path);
  return std::unique_ptr<LabelFont>(new LabelFont(std::move(face)));
}

const LabelFont::Glyph& LabelFont::glyph(char32_t character) {
  if (auto known = glyphs_.find(character); known != glyphs_.end()) return known->second;
  if (glyphs_.size() >= kMostGlyphs) glyphs_.clear();
  Glyph glyph;
  if (FT_Load_Char(face_->face, character, FT_LOAD_RENDER) == 0) {
    const auto& slot = *face_->face->glyph;
    const auto& bitmap = slot.bitmap;
    glyph.left = slot.bitmap_left;
    glyph.top = slot.bitmap_top;
    glyph.advance = static_cast<int>(slot.advance.x >> 6);
    bool gray = bitmap.pixel_mode == FT_PIXEL_MODE_GRAY && bitmap.pitch >= 0;
    glyph.width = gray ? static_cast<int>(bitmap.width) : 0;
    glyph.height = gray ? static_cast<int>(bitmap.rows) : 0;
    for (int row = 0; row < glyph.height; ++row) {
      const auto* line = bitmap.buffer + static_cast<std::ptrdiff_t>(row) * bitmap.pitch;
      glyph.coverage.insert(glyph.coverage.end(), line, line + glyph.width);
    }
  }
  return glyphs_.emplace(character, std::move(glyph)).first->second;
}

TextBitmap LabelFont::render(std::string_view text) {
  const auto& metrics = face_->face->size->metrics;
  int ascent = static_cast<int>((metrics.ascender + 63) >> 6);
  TextBitmap out;
  out.height = ascent + static_cast<int>((63 - metrics.descender) >> 6);
  std::u32string characters;
  while (!text.empty()) characters.push_back(next_character(text));
  for (auto character : characters) out.width += glyph(character).advance;
  out.coverage.resize(static_cast<std::size_t>(out.width) * static_cast<std::size_t>(out.height));
  int pen = 0;
  for (auto character : characters) {
    const auto& one = glyph(character);
    for (int y = 0; y < one.height; ++y) {
      for (int x = 0; x < one.width; ++x) {
        int column = pen + one.left + x, row = ascent - one.top + y;
        if (column < 0 || column >= out.width || row < 0 || row >= out.height) continue;
        auto& pixel = out.coverage[static_cast<std::size_t>(row * out.width + column)];
        pixel = std::max(pixel, one.coverage[static_cast<std::size_t>(y * one.width + x)]);
      }
    }
    pen += one.advance;
  }
  return out;
}

}  // namespace gopline::media
