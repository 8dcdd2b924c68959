// make_golden GOLDEN [CASE...]: writes the records of the golden cases (all, unless named) into GOLDEN/CASE.
#include <cstdio>
#include <set>

#include "tests/format/golden_case.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: make_golden GOLDEN [CASE...]\n", stderr);
    return 2;
  }
  std::filesystem::path golden(argv[1]);
  std::set<std::string> wanted(argv + 2, argv + argc);
  for (const auto& golden_case : gopline::golden::golden_cases()) {
    if (!wanted.empty() && !wanted.contains(golden_case.name)) continue;
    auto records = gopline::golden::write_case(golden, golden_case);
    if (records) {
      for (const char* topic : {"segments", "index", "streams", "blobs"})
        std::filesystem::remove_all(golden / golden_case.name / topic);
    }
    auto saved = records ? gopline::golden::save(golden / golden_case.name, *records)
                         : gopline::Result<void>(tl::unexpected<gopline::Error>(records.error()));
    if (!saved) {
      std::fprintf(stderr, "%s: %s\n", golden_case.name.c_str(), saved.error().message.c_str());
      return 1;
    }
    std::printf("%-14s %zu records\n", golden_case.name.c_str(), records->size());
  }
  return 0;
}
