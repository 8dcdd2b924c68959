#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace gopline::splitter {

// Which files of a folder are pictures of a stream.
struct PictureFiles {
  enum class Kind {
    kFile,      // one, by its name
    kFolder,    // all whose names end as those of pictures do, and that are not hidden
    kNumbered,  // "%06d.png": a number of at least so many digits
    kPattern,   // as a shell's: * ? [...]
  };
  Kind kind = Kind::kFolder;
  std::string folder;
  std::string name;  // kFolder: empty
};

// What a source of `split` means, if it means pictures: a folder, a pattern of which only the last part is
// one, or a file that is there and ends as pictures do. nullopt: it is something else.
std::optional<PictureFiles> picture_files_of(const std::string& source);

// Whether a file of this name in the folder is one of them.
bool is_one_of(const PictureFiles& files, std::string_view name);

// The names of those that are there, in natural order: 9.jpg before 10.jpg. Errors name the folder.
Result<std::vector<std::string>> names_of(const PictureFiles& files);

// Natural order: runs of digits compare as numbers, all else as bytes.
bool comes_before(std::string_view a, std::string_view b);

}  // namespace gopline::splitter
