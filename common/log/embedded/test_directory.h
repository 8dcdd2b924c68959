#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>

namespace gopline::embedded {

// A directory for one test, removed with everything in it.
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

 private:
  std::string path_;
};

}  // namespace gopline::embedded
