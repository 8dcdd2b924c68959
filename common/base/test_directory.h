#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace gopline {

// A directory for one test or benchmark, removed with everything in it.
class TestDirectory {
 public:
  TestDirectory() {
    auto name = (std::filesystem::temp_directory_path() / "gopline-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

}  // namespace gopline
