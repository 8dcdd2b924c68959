#include "common/payload/blob_key.h"

#include <gtest/gtest.h>

namespace gopline::payload {
namespace {

const std::string kSha(64, 'a');

TEST(BlobKey, HasNamespaceStreamHourAndContent) {
  BlobKey key{"gopline", "site-7/door 2", "2026-11-22T18", kSha};
  EXPECT_EQ(to_text(key), "gopline/site-7%2Fdoor%202/2026-11-22T18/" + kSha);
  EXPECT_EQ(parse_blob_key(to_text(key)), key);
}

TEST(BlobKey, AForeignFileIsNone) {
  for (const auto& text : {std::string(), "gopline/s/2026-11-22T18/" + kSha.substr(1),
                           "gopline/s/2026-11-22T18/" + std::string(64, 'A'), "gopline/s/2026-11-22/" + kSha,
                           "gopline//2026-11-22T18/" + kSha, "/s/2026-11-22T18/" + kSha,
                           "gopline/s/2026-11-22T18/" + kSha + "/x", "gopline/a b/2026-11-22T18/" + kSha,
                           "gopline/%2f/2026-11-22T18/" + kSha, "s/2026-11-22T18/" + kSha}) {
    EXPECT_EQ(parse_blob_key(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace gopline::payload
