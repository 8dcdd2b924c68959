#include "common/payload/s3/s3_put.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "common/payload/s3/s3_store.h"
#include "common/payload/s3/scripted_server.h"

// How an object comes to be on servers that answer as they may.
namespace gopline::payload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class S3PutTest : public ::testing::Test {
 protected:
  // Answers each request by its "METHOD query" and how often that has been asked before.
  using Answer = std::function<ScriptedReply(const std::string& what, int before)>;

  static std::string what_of(const ScriptedRequest& request) {
    auto query = request.target.substr(std::min(request.target.find('?'), request.target.size()));
    auto copy = request.header("x-amz-copy-source").empty() ? "" : " copy";
    return request.method + query + copy;
  }
  void serve(Answer answer) {
    server_ = std::make_unique<ScriptedServer>([this, answer](const ScriptedRequest& request, int) {
      auto what = what_of(request);
      std::lock_guard lock(mutex_);
      return answer(what, asked_[what]++);
    });
    settings_ = server_->settings();
    settings_.credentials.session_token = "";
    settings_.part_size = 40'000;
  }
  Result<PutBlob> put(bool in_parts = false) {
    settings_.multipart_threshold = in_parts ? 1 : 1 << 20;
    store_ = open_s3_store(settings_, {.random = [] { return 0.0; }});
    return store_->put("key", BufferChain(Buffer::copy(text_)), {});
  }
  std::vector<std::string> asked() const {
    std::vector<std::string> out;
    for (const auto& request : server_->requests()) {
      out.push_back(what_of(request) + (request.header("if-none-match") == "*" ? " if-none-match" : ""));
    }
    return out;
  }
  std::vector<std::string> asked_since(std::size_t before) const {
    auto all = asked();
    return {all.begin() + static_cast<std::ptrdiff_t>(before), all.end()};
  }
  static ScriptedReply reply(int status, std::string body = "", std::vector<std::string> headers = {}) {
    return {status, std::move(headers), std::move(body), {}, {}};
  }
  ScriptedReply present(std::size_t size) const {
    return reply(200, "",
                 {"Content-Length: " + std::to_string(size), "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
                  "Date: Sun, 22 Nov 2026 18:00:00 GMT"});
  }
  static ScriptedReply error(int status, const std::string& code) {
    return reply(status, "<Error><Code>" + code + "</Code><Message>m</Message></Error>");
  }
  // The usual answers of a multipart upload.
  static ScriptedReply usual(const std::string& what) {
    if (what == "HEAD") return reply(404);
    if (what == "POST?uploads=") {
      return reply(200,
                   "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
    }
    if (what.starts_with("PUT?partNumber=") && what.ends_with("copy")) {
      return reply(200, "<CopyPartResult><ETag>\"c\"</ETag></CopyPartResult>");
    }
    if (what.starts_with("PUT?partNumber=")) return reply(200, "", {"ETag: \"" + what.substr(15, 1) + "\""});
    if (what == "POST?uploadId=u") {
      return reply(200, "<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>");
    }
    return reply(what.starts_with("DELETE") ? 204 : 200);
  }
  ScriptedRequest request_of(const std::string& what) const {
    for (const auto& request : server_->requests()) {
      if (what_of(request) == what) return request;
    }
    return {};
  }

  std::string text_ = std::string(100'000, 'y');
  std::mutex mutex_;
  std::map<std::string, int> asked_;
  S3Settings settings_;
  std::unique_ptr<ScriptedServer> server_;
  std::unique_ptr<BlobStore> store_;
};

TEST_F(S3PutTest, AsksAndSendsUnderACondition) {
  serve([](const auto& what, int) { return usual(what); });
  EXPECT_FALSE(put()->was_present);
  EXPECT_THAT(asked(), ElementsAre("HEAD", "PUT if-none-match"));
  EXPECT_EQ(request_of("PUT").body, text_);
}

TEST_F(S3PutTest, WhatIsThereIsCopiedOntoItself) {
  serve([&](const auto& what, int) {
    if (what == "HEAD") return present(text_.size());
    return reply(
        200, "<CopyObjectResult><LastModified>2026-11-22T18:00:00.000Z</LastModified></CopyObjectResult>");
  });
  EXPECT_TRUE(put()->was_present);
  EXPECT_THAT(asked(), ElementsAre("HEAD", "PUT copy"));
  EXPECT_EQ(request_of("PUT copy").header("x-amz-copy-source"), "/bucket/p/key");
  EXPECT_EQ(request_of("PUT copy").header("x-amz-metadata-directive"), "REPLACE");
}

TEST_F(S3PutTest, WhereACopyKeepsTheAgeAnUploadOfItselfRenewsIt) {
  serve([&](const auto& what, int) {
    if (what == "HEAD") return present(text_.size());
    if (what != "PUT copy") return usual(what);
    return reply(
        200, "<CopyObjectResult><LastModified>1994-11-06T08:49:37.000Z</LastModified></CopyObjectResult>");
  });
  EXPECT_TRUE(put()->was_present);
  EXPECT_THAT(asked(), ElementsAre("HEAD", "PUT copy", "POST?uploads=", "PUT?partNumber=1&uploadId=u copy",
                                   "POST?uploadId=u"));
  auto before = asked().size();
  EXPECT_TRUE(store_->put("key", BufferChain(Buffer::copy(text_)), {})->was_present);
  EXPECT_EQ(asked().size() - before, 4u) << "the server is known now";
}

TEST_F(S3PutTest, AServerThatCopiesNothingGetsTheBytesAgain) {
  serve([&](const auto& what, int) {
    if (what == "HEAD") return present(text_.size());
    return what.ends_with("copy") ? error(501, "NotImplemented") : usual(what);
  });
  EXPECT_FALSE(put()->was_present);
  EXPECT_EQ(asked().back(), "PUT") << "unconditionally";
}

TEST_F(S3PutTest, CollectedInBetweenItIsSentAgain) {
  serve([&](const auto& what, int before) {
    if (what == "HEAD" && before == 0) return present(text_.size());
    return what == "PUT copy" ? error(404, "NoSuchKey") : usual(what);
  });
  EXPECT_FALSE(put()->was_present);
  EXPECT_THAT(asked(), ElementsAre("HEAD", "PUT copy", "PUT if-none-match"));
}

TEST_F(S3PutTest, SomebodyElseWasQuicker) {
  serve([&](const auto& what, int before) {
    if (what == "HEAD") return before == 0 ? reply(404) : present(text_.size());
    return error(412, "PreconditionFailed");
  });
  EXPECT_TRUE(put()->was_present);
  EXPECT_THAT(asked(), ElementsAre("HEAD", "PUT if-none-match", "HEAD"));
}

TEST_F(S3PutTest, SomethingElseUnderTheNameIsReplaced) {
  serve([&](const auto& what, int before) {
    if (what == "HEAD") return before == 0 ? reply(404) : present(7);
    return before == 0 ? error(409, "ConditionalRequestConflict") : reply(200);
  });
  EXPECT_FALSE(put()->was_present);
  EXPECT_THAT(asked(), ElementsAre("HEAD", "PUT if-none-match", "HEAD", "PUT"));
}

TEST_F(S3PutTest, AnAnswerThatWasLostIsFoundByTheNextTry) {
  serve([&](const auto& what, int before) {
    if (what == "HEAD") return before == 0 ? reply(404) : present(text_.size());
    if (before > 0) return error(412, "PreconditionFailed");
    auto lost = reply(200, "0123456789");
    lost.cut_after = 50, lost.closes = true;  // where nothing has come at all, libcurl sends again unseen
    return lost;
  });
  EXPECT_FALSE(put()->was_present) << "it was us";
  EXPECT_THAT(asked(), ElementsAre("HEAD", "PUT if-none-match", "PUT if-none-match", "HEAD"));
}

TEST_F(S3PutTest, AServerWithoutConditions) {
  serve([&](const auto& what, int before) {
    return what == "PUT" && before == 0 ? error(501, "NotImplemented") : usual(what);
  });
  EXPECT_FALSE(put()->was_present);
  EXPECT_THAT(asked(), ElementsAre("HEAD", "PUT if-none-match", "PUT"));
  ASSERT_TRUE(store_->put("other", BufferChain(Buffer::copy(text_)), {}).has_value());
  EXPECT_EQ(asked().back(), "PUT") << "it is not asked again";
}

TEST_F(S3PutTest, WhereNothingIsEverThereItIsNotAsked) {
  bool is_there = false;
  serve([&](const auto& what, int) {
    if (is_there && what == "HEAD") return present(text_.size());
    if (is_there && what == "PUT") return error(412, "PreconditionFailed");
    if (what == "PUT copy") {
      return reply(
          200, "<CopyObjectResult><LastModified>2026-11-22T18:00:00.000Z</LastModified></CopyObjectResult>");
    }
    return usual(what);
  });
  EXPECT_FALSE(put()->was_present);
  auto again = [&] { return store_->put("key", BufferChain(Buffer::copy(text_)), {})->was_present; };
  EXPECT_FALSE(again());
  EXPECT_FALSE(again());
  auto before = asked().size();
  EXPECT_FALSE(again());
  EXPECT_THAT(asked_since(before), ElementsAre("PUT if-none-match"));
  is_there = true;
  EXPECT_TRUE(again()) << "and young: it is copied";
  EXPECT_EQ(asked().back(), "PUT copy");
  before = asked().size();
  EXPECT_TRUE(again());
  EXPECT_EQ(asked().at(before), "HEAD") << "asked again, since something was there";
}

TEST_F(S3PutTest, SaysHowToEncrypt) {
  serve([](const auto& what, int) { return usual(what); });
  settings_.sse = "aws:kms";
  settings_.sse_kms_key_id = "arn:key/1";
  ASSERT_TRUE(put().has_value());
  ASSERT_TRUE(put(true).has_value());
  for (const char* what : {"PUT", "POST?uploads="}) {
    auto request = request_of(what);
    EXPECT_EQ(request.header("x-amz-server-side-encryption"), "aws:kms") << what;
    EXPECT_EQ(request.header("x-amz-server-side-encryption-aws-kms-key-id"), "arn:key/1") << what;
    EXPECT_THAT(request.header("authorization"), HasSubstr("x-amz-server-side-encryption;")) << "signed";
  }
}

// ---- in parts

TEST_F(S3PutTest, InParts) {
  serve([](const auto& what, int) { return usual(what); });
  EXPECT_FALSE(put(true)->was_present);
  auto all = asked();
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all[0] + "," + all[1], "HEAD,POST?uploads=");
  EXPECT_EQ(all[5], "POST?uploadId=u if-none-match");
  EXPECT_EQ(request_of("PUT?partNumber=1&uploadId=u").body + request_of("PUT?partNumber=2&uploadId=u").body +
                request_of("PUT?partNumber=3&uploadId=u").body,
            text_);
  EXPECT_EQ(
      request_of("POST?uploadId=u").body,
      "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"1\"</ETag></Part><Part><PartNumber>2"
      "</PartNumber><ETag>\"2\"</ETag></Part><Part><PartNumber>3</PartNumber><ETag>\"3\"</ETag></Part>"
      "</CompleteMultipartUpload>");
}

TEST_F(S3PutTest, APartThatIsRefusedEndsTheUpload) {
  serve([](const auto& what, int) {
    return what.starts_with("PUT?partNumber=2") ? error(403, "AccessDenied") : usual(what);
  });
  EXPECT_EQ(put(true).error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(asked(), testing::Contains("DELETE?uploadId=u"));
}

TEST_F(S3PutTest, OnlyThePartThatFailedIsSentAgain) {
  serve([](const auto& what, int before) {
    return what.starts_with("PUT?partNumber=2") && before < 2 ? error(503, "SlowDown") : usual(what);
  });
  EXPECT_TRUE(put(true).has_value());
  EXPECT_EQ(asked_["PUT?partNumber=1&uploadId=u"], 1);
  EXPECT_EQ(asked_["PUT?partNumber=2&uploadId=u"], 3);
}

TEST_F(S3PutTest, AnEndThatTurnsOutBadlyAfter200IsTriedAgain) {
  serve([](const auto& what, int before) {
    if (what != "POST?uploadId=u" || before > 2) return usual(what);
    return before == 0 ? reply(200, "<Error><Code>InternalError</Code></Error>") : reply(200, "   ");
  });
  EXPECT_TRUE(put(true).has_value());
  EXPECT_EQ(asked_["POST?uploadId=u"], 4);
}

TEST_F(S3PutTest, AnEndThatIsBadFor200AndForEver) {
  serve([](const auto& what, int) {
    return what == "POST?uploadId=u" ? reply(200, "<Error><Code>InvalidPart</Code></Error>") : usual(what);
  });
  auto done = put(true);
  ASSERT_FALSE(done.has_value());
  EXPECT_THAT(done.error().message, HasSubstr("InvalidPart"));
  EXPECT_EQ(asked().back(), "DELETE?uploadId=u");
}

TEST_F(S3PutTest, AnEndWhoseAnswerWasLost) {
  serve([&](const auto& what, int before) {
    if (what == "HEAD" && before > 0) return present(text_.size());
    if (what != "POST?uploadId=u") return usual(what);
    if (before > 0) return error(404, "NoSuchUpload");
    auto lost = usual(what);
    lost.cut_after = 5;
    return lost;
  });
  auto done = put(true);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_FALSE(done->was_present);
}

TEST_F(S3PutTest, InPartsSomebodyElseWasQuicker) {
  serve([&](const auto& what, int before) {
    if (what == "HEAD" && before > 0) return present(text_.size());
    return what == "POST?uploadId=u" ? error(412, "PreconditionFailed") : usual(what);
  });
  EXPECT_TRUE(put(true)->was_present);
  EXPECT_EQ(asked_["DELETE?uploadId=u"], 1);
}

}  // namespace
}  // namespace gopline::payload
