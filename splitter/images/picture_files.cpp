#include "splitter/images/picture_files.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

namespace gopline::splitter {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> kPictureEndings{".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool ends_as_pictures_do(std::string_view name) {
  auto dot = name.rfind('.');
  if (dot == std::string_view::npos || name.starts_with('.')) return false;
  std::string ending(name.substr(dot));
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::find(kPictureEndings, ending) != kPictureEndings.end();
}

// "frame-%06d.png" in its three parts.
struct NumberPattern {
  std::string_view before, behind;
  std::size_t digits = 1;
};

std::optional<NumberPattern> number_pattern_of(std::string_view name) {
  auto percent = name.find('%');
  if (percent == std::string_view::npos) return std::nullopt;
  auto at = percent + 1;
  std::size_t digits = 0;
  for (; at < name.size() && is_digit(name[at]) && digits < 100; ++at)
    digits = 10 * digits + static_cast<std::size_t>(name[at] - '0');
  if (at == name.size() || name[at] != 'd') return std::nullopt;
  return NumberPattern{name.substr(0, percent), name.substr(at + 1), std::max<std::size_t>(digits, 1)};
}

bool has_number(const NumberPattern& pattern, std::string_view name) {
  if (!name.starts_with(pattern.before) || !name.ends_with(pattern.behind)) return false;
  if (name.size() < pattern.before.size() + pattern.behind.size() + pattern.digits) return false;
  auto number =
      name.substr(pattern.before.size(), name.size() - pattern.before.size() - pattern.behind.size());
  return std::ranges::all_of(number, is_digit);
}

// From `at` on: the digits of a number without leading zeros.
std::string_view number_at(std::string_view text, std::size_t& at) {
  while (at < text.size() && text[at] == '0') ++at;
  auto begin = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return text.substr(begin, at - begin);
}

}  // namespace

bool comes_before(std::string_view a, std::string_view b) {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      auto first = number_at(a, i), second = number_at(b, j);
      if (first.size() != second.size()) return first.size() < second.size();
      if (first != second) return first < second;
      continue;
    }
    if (a[i] != b[j]) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]);
    ++i;
    ++j;
  }
  if (a.size() - i != b.size() - j) return a.size() - i < b.size() - j;
  return a < b;  // 01 and 1
}

std::optional<PictureFiles> picture_files_of(const std::string& source) {
  using Kind = PictureFiles::Kind;
  if (source.empty() || source == "-" || source.find("://") != std::string::npos) return std::nullopt;
  std::error_code ignored;
  if (fs::is_directory(source, ignored)) return PictureFiles{Kind::kFolder, source, ""};
  auto path = fs::path(source);
  auto name = path.filename().string();
  auto folder = path.has_parent_path() ? path.parent_path().string() : std::string(".");
  if (fs::exists(source, ignored)) {
    if (!ends_as_pictures_do(name)) return std::nullopt;
    return PictureFiles{Kind::kFile, folder, name};
  }
  if (number_pattern_of(name)) return PictureFiles{Kind::kNumbered, folder, name};
  if (name.find_first_of("*?[") != std::string::npos) return PictureFiles{Kind::kPattern, folder, name};
  return std::nullopt;
}

bool is_one_of(const PictureFiles& files, std::string_view name) {
  switch (files.kind) {
    case PictureFiles::Kind::kFile:
      return name == files.name;
    case PictureFiles::Kind::kFolder:
      return ends_as_pictures_do(name);
    case PictureFiles::Kind::kNumbered: {
      auto pattern = number_pattern_of(files.name);
      return pattern && has_number(*pattern, name);
    }
    case PictureFiles::Kind::kPattern:
      break;
  }
  return ::fnmatch(files.name.c_str(), std::string(name).c_str(), FNM_PERIOD) == 0;
}

Result<std::vector<std::string>> names_of(const PictureFiles& files) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator folder(files.folder, error);
  for (; !error && folder != fs::directory_iterator(); folder.increment(error)) {
    auto name = folder->path().filename().string();
    std::error_code ignored;
    if (is_one_of(files, name) && !folder->is_directory(ignored)) names.push_back(std::move(name));
  }
  if (error) return fail_errno(error.value(), files.folder);
  std::ranges::sort(names, comes_before);
  return names;
}

}  // namespace gopline::splitter
