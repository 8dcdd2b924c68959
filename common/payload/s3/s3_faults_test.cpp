#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "common/bytes/digest.h"
#include "common/payload/blob_key.h"
#include "common/payload/s3/s3_store.h"
#include "common/payload/s3/scripted_server.h"

// What the store makes of answers that are refusals, damaged, late or none at all.
namespace gopline::payload {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

ScriptedReply error_reply(int status, const std::string& code, const std::string& message = "words") {
  ScriptedReply reply;
  reply.status = status;
  reply.body =
      "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>" + message + "</Message></Error>";
  return reply;
}
ScriptedReply head_reply(std::size_t size) {
  ScriptedReply reply;
  reply.headers = {"Content-Length: " + std::to_string(size), "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"};
  return reply;
}
ScriptedReply status(int number) {
  ScriptedReply reply;
  reply.status = number;
  return reply;
}

// The right answer to a GET with a range of `whole`.
ScriptedReply range_reply(const ScriptedRequest& request, const std::string& whole) {
  auto range = request.header("range").substr(6);
  auto first = std::stoull(range), last = std::stoull(range.substr(range.find('-') + 1));
  ScriptedReply reply;
  if (first >= whole.size()) return error_reply(416, "InvalidRange");
  last = std::min<unsigned long long>(last, whole.size() - 1);
  reply.status = 206;
  reply.body = whole.substr(first, last - first + 1);
  reply.headers = {fmt::format("Content-Range: bytes {}-{}/{}", first, last, whole.size())};
  return reply;
}

class S3Faults : public ::testing::Test {
 protected:
  void serve(ScriptedServer::Script script, ScriptedServer::CutRequest cut_request = {}) {
    store_.reset();
    server_ = std::make_unique<ScriptedServer>(std::move(script), std::move(cut_request));
    settings_ = server_->settings();
    open();
  }
  void open() {
    store_ = open_s3_store(settings_, {.clock = clock_, .random = [] { return 0.0; }});  // no waits
  }
  Result<Buffer> get(std::uint64_t size = 10) { return store_->get(kKey, {0, size}, stop_.get_token()); }
  Result<PutBlob> put() { return store_->put(key_, BufferChain(Buffer::copy(text_)), stop_.get_token()); }

  template <typename T>
  void expect_error(const Result<T>& result, ErrorCode code, std::vector<std::string> words) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, code) << result.error().message;
    for (const auto& word : words) EXPECT_THAT(result.error().message, HasSubstr(word));
    EXPECT_THAT(result.error().message, AllOf(HasSubstr("s3://bucket"), Not(HasSubstr("sesame"))));
  }
  std::vector<std::string> methods() const {
    std::vector<std::string> out;
    for (const auto& request : server_->requests()) out.push_back(request.method);
    return out;
  }

  const std::string kKey = "some/key";
  const std::string whole_ = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string text_ = std::string(100'000, 'x');
  std::string key_ = to_text({"gopline", "s", "2026-11-22T18", sha256_hex(BufferChain(Buffer::copy(text_)))});
  std::shared_ptr<const Clock> clock_ = std::make_shared<SystemClock>();
  StopSource stop_;
  S3Settings settings_;
  std::unique_ptr<ScriptedServer> server_;
  std::unique_ptr<BlobStore> store_;
};

// ---- what passes

TEST_F(S3Faults, TriesAgainWhatIsBusy) {
  serve([&](const auto& request, int number) {
    if (number == 0) return error_reply(503, "SlowDown");
    if (number == 1) return error_reply(500, "InternalError");
    if (number == 2) return ScriptedReply{502, {}, "<html>Bad gateway</html>", {}, {}};
    if (number == 3) return status(429);
    return range_reply(request, whole_);
  });
  auto got = get();
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_EQ(got->text(), "0123456789");
  EXPECT_EQ(methods().size(), 5u);
}

TEST_F(S3Faults, TriesAgainWhatIsCutAtAnyByte) {
  for (std::size_t cut = 0; cut < 130; cut += 7) {
    serve([&](const auto& request, int number) {
      auto reply = range_reply(request, whole_);
      if (number < 2) reply.cut_after = cut;
      return reply;
    });
    auto got = get(36);
    ASSERT_TRUE(got.has_value()) << cut << ": " << got.error().message;
    EXPECT_EQ(got->text(), whole_);
  }
}

TEST_F(S3Faults, SendsAllAgainWhenAnUploadIsCut) {
  for (std::size_t cut : {0u, 1u, 50'000u, 99'999u}) {
    serve([&](const auto& request, int) { return status(request.method == "HEAD" ? 404 : 200); },
          [&](const auto& request, int number) {
            return request.method == "PUT" && number < 3 ? std::optional(cut) : std::nullopt;
          });
    auto done = put();
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_FALSE(done->was_present);
    auto last = server_->requests().back();
    EXPECT_EQ(last.body, text_);
    EXPECT_EQ(last.header("x-amz-content-sha256"), parse_blob_key(key_)->sha256);
    EXPECT_EQ(last.header("expect"), "");
  }
}

TEST_F(S3Faults, GivesUpOnATransferThatStalls) {
  serve([&](const auto& request, int number) {
    auto reply = range_reply(request, whole_);
    if (number == 0) reply.stalls = true, reply.cut_after = 70;
    return reply;
  });
  settings_.stall_timeout = std::chrono::seconds(1);
  open();
  auto got = get();
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_EQ(methods().size(), 2u);
}

TEST_F(S3Faults, KeepsItsConnection) {
  serve([&](const auto& request, int) { return range_reply(request, whole_); });
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(get().has_value());
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(S3Faults, AServerThatKnowsNoRanges) {
  serve([&](const auto&, int) { return ScriptedReply{200, {}, whole_.substr(0, 10), {}, {}}; });
  EXPECT_EQ(get()->text(), "0123456789");
  expect_error(get(11), ErrorCode::kCorrupt, {});
}

// ---- what does not

TEST_F(S3Faults, PatienceEndsWithWhatWasHeardLast) {
  serve([&](const auto&, int) { return error_reply(503, "SlowDown", "reduce your rate"); });
  settings_.patience = std::chrono::milliseconds(50);
  open();
  expect_error(get(), ErrorCode::kUnavailable, {"503 SlowDown: reduce your rate", " tries in "});
}

TEST_F(S3Faults, TheServersWishToWaitCounts) {
  serve([&](const auto&, int) {
    auto reply = error_reply(503, "SlowDown");
    reply.headers = {"Retry-After: 3600"};
    return reply;
  });
  expect_error(get(), ErrorCode::kUnavailable, {"503"});
  EXPECT_EQ(methods().size(), 1u) << "an hour is more than our patience";
}

TEST_F(S3Faults, AStoreThatIsAway) {
  serve([](const auto&, int) { return status(200); });
  auto settings = settings_;
  server_.reset();
  settings.patience = std::chrono::milliseconds(50);
  settings_ = settings;
  open();
  expect_error(get(), ErrorCode::kUnavailable, {settings_.endpoint(), "does not answer", " tries in "});
  expect_error(put(), ErrorCode::kUnavailable, {settings_.endpoint()});
}

TEST_F(S3Faults, ARefusalIsToldAtOnce) {
  serve([](const auto& request, int) {
    return request.method == "HEAD" ? status(403) : error_reply(403, "AccessDenied", "Access Denied");
  });
  expect_error(get(), ErrorCode::kPermissionDenied, {"403 AccessDenied: Access Denied", "the-key", "bucket"});
  EXPECT_THAT(methods(), testing::ElementsAre("GET"));
  expect_error(store_->stat(kKey, {}), ErrorCode::kPermissionDenied, {"403 AccessDenied"});
  expect_error(put(), ErrorCode::kPermissionDenied, {"403 AccessDenied"});
  expect_error(store_->remove(kKey, {}), ErrorCode::kPermissionDenied, {"403 AccessDenied"});
  expect_error(store_->list("", [](const auto&) { return true; }, {}), ErrorCode::kPermissionDenied, {"403"});
}

TEST_F(S3Faults, SaysWhatToCheck) {
  std::string code;
  int number = 403;
  serve([&](const auto&, int) { return error_reply(number, code); });
  for (auto [its, status_code, expected, words] :
       std::vector<std::tuple<std::string, int, ErrorCode, std::string>>{
           {"SignatureDoesNotMatch", 403, ErrorCode::kPermissionDenied,
            "secret key does not belong to the access key the-key"},
           {"InvalidAccessKeyId", 403, ErrorCode::kPermissionDenied, "does not know the access key the-key"},
           {"ExpiredToken", 400, ErrorCode::kPermissionDenied, "get a new one"},
           {"NoSuchBucket", 404, ErrorCode::kNotFound, "there is no bucket bucket at http://127.0.0.1"},
           {"NoSuchKey", 404, ErrorCode::kNotFound, "s3://bucket/p/some/key"},
           {"InvalidRange", 416, ErrorCode::kCorrupt, "ends before"},
           {"QuotaExceeded", 403, ErrorCode::kOutOfSpace, "full"},
           {"XMinioStorageFull", 507, ErrorCode::kOutOfSpace, "full"},
           {"NotImplemented", 501, ErrorCode::kUnsupported, "NotImplemented"},
           {"PermanentRedirect", 301, ErrorCode::kInvalidArgument, "check endpoint, region"}}) {
    code = its, number = status_code;
    expect_error(get(), expected, {words});
  }
}

TEST_F(S3Faults, NamesTheRightRegion) {
  serve([](const auto&, int) {
    auto reply = error_reply(400, "AuthorizationHeaderMalformed");
    reply.headers = {"x-amz-bucket-region: eu-west-3"};
    return reply;
  });
  expect_error(get(), ErrorCode::kInvalidArgument, {"AWS_REGION=eu-west-3"});
}

TEST_F(S3Faults, ASecretThatTheServerRepeatsIsHidden) {
  serve([](const auto& request, int) {
    return error_reply(403, "the-secret-sesame",
                       request.header("x-amz-security-token") + " the-secret-sesame");
  });
  expect_error(get(), ErrorCode::kPermissionDenied, {"***"});
  EXPECT_EQ(server_->requests().at(0).header("x-amz-security-token"), "the-token-sesame") << "it was sent";
}

// ---- damaged answers

TEST_F(S3Faults, AnotherRangeThanAskedForIsNotTaken) {
  std::vector<ScriptedReply> wrong;
  for (const char* range :
       {"bytes 1-10/36", "bytes 0-8/36", "bytes 0-9", "bytes x-9/36", "", "items 0-9/36"}) {
    wrong.push_back({206, {std::string("Content-Range: ") + range}, "0123456789", {}, {}});
  }
  wrong.push_back({206, {"Content-Range: bytes 0-9/36"}, "012345678", {}, {}});
  wrong.push_back({206, {"Content-Range: bytes 0-9/36"}, "0123456789x", {}, {}});
  wrong.push_back({200, {}, whole_, {}, {}});
  ScriptedReply now;
  serve([&](const auto&, int) { return now; });
  for (const auto& reply : wrong) {
    now = reply;
    auto before = methods().size();
    expect_error(get(), ErrorCode::kCorrupt, {"something else than was asked for"});
    EXPECT_EQ(methods().size() - before, 3u) << "a few tries";
  }
}

TEST_F(S3Faults, ABlobThatEndsEarlierIsCorrupt) {
  serve([&](const auto& request, int) {
    return request.method == "HEAD" ? head_reply(whole_.size()) : range_reply(request, whole_);
  });
  expect_error(get(37), ErrorCode::kCorrupt, {"some/key"});
  EXPECT_EQ(methods().size(), 1u) << "that is certain at once";
  expect_error(store_->get(kKey, {100, 1}, {}), ErrorCode::kCorrupt, {});
}

TEST_F(S3Faults, ASizeThatNobodyHasTakesNoMemory) {
  serve([&](const auto&, int) { return head_reply(whole_.size()); });
  expect_error(get(1ULL << 60), ErrorCode::kCorrupt, {"ends after 36 bytes"});
  expect_error(store_->get(kKey, {UINT64_MAX, 2}, {}), ErrorCode::kCorrupt, {});
  expect_error(store_->get(kKey, {2, UINT64_MAX}, {}), ErrorCode::kCorrupt, {});
}

TEST_F(S3Faults, ListingsThatAreNone) {
  std::string body = "<ListBucketResult><Contents>";
  serve([&](const auto&, int) { return ScriptedReply{200, {}, body, {}, {}}; });
  auto list = [&] { return store_->list("", [](const auto&) { return true; }, {}); };
  expect_error(list(), ErrorCode::kCorrupt, {"not a whole listing"});
  body =
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
      "</ListBucketResult>";
  EXPECT_TRUE(list().has_value()) << "one that turns in a circle ends";
  EXPECT_EQ(methods().size(), 3u);
  expect_error(store_->collect_unfinished({}, true, {}), ErrorCode::kCorrupt, {});
}

TEST_F(S3Faults, BytesThatArriveAltered) {
  serve([](const auto& request, int) {
    return request.method == "HEAD" ? status(404) : error_reply(400, "XAmzContentSHA256Mismatch");
  });
  expect_error(put(), ErrorCode::kCorrupt, {"what arrives at the store is not what was sent", "3 tries"});
  auto last = methods();
  last.erase(last.begin(), last.end() - 4);
  EXPECT_THAT(last, testing::ElementsAre("HEAD", "PUT", "PUT", "PUT"))
      << "asked again, and sent without a condition";
}

// A server that has the object may answer a condition before it has read the bytes, and close: nothing comes
// of it then.
TEST_F(S3Faults, AConditionThatIsAnsweredByACutConnection) {
  auto cut = [](const auto& request, int) -> std::optional<std::size_t> {
    if (request.header("if-none-match").empty()) return std::nullopt;
    return 10;
  };
  bool is_there = true;
  int asked = 0;
  auto script = [&](const auto& request, int) {
    if (request.method != "HEAD") return status(200);
    return is_there && asked++ > 0 ? head_reply(text_.size()) : status(404);
  };
  serve(script, cut);
  EXPECT_TRUE(put().has_value()) << "somebody has put it meanwhile";
  EXPECT_EQ(methods().back(), "HEAD");
  is_there = false;
  serve(script, cut);
  EXPECT_TRUE(put().has_value());
  EXPECT_EQ(methods().back(), "PUT") << "without a condition";
}

// ---- time, and stopping

TEST_F(S3Faults, TakesTheServersTime) {
  auto clock = std::make_shared<FakeClock>();  // 2023-11-14T22:13:20Z
  clock_ = clock;
  serve([&](const auto& request, int) {
    ScriptedReply reply;
    reply = request.header("x-amz-date").starts_with("20231114T2313") ? head_reply(36) : status(403);
    reply.headers.push_back("Date: Tue, 14 Nov 2023 23:13:20 GMT");
    return reply;
  });
  auto info = store_->stat(kKey, {});
  ASSERT_TRUE(info.has_value()) << info.error().message;
  EXPECT_EQ(info->size, 36u);
  EXPECT_EQ(methods().size(), 2u);
  ASSERT_TRUE(store_->stat(kKey, {}).has_value());
  EXPECT_EQ(methods().size(), 3u) << "it is remembered";
}

TEST_F(S3Faults, AStopEndsTheWaitForTheNextTry) {
  serve([&](const auto&, int) {
    auto reply = error_reply(503, "SlowDown");
    reply.headers = {"Retry-After: 3600"};
    return reply;
  });
  settings_.patience = std::chrono::hours(2);
  open();
  std::thread stopper([&] {
    server_->await_requests(1);
    stop_.request_stop();
  });
  expect_error(get(), ErrorCode::kCancelled, {});
  stopper.join();
}

TEST_F(S3Faults, AStopEndsATransfer) {
  serve([&](const auto&, int) {
    ScriptedReply reply;
    reply.stalls = true;
    return reply;
  });
  settings_.stall_timeout = std::chrono::hours(1);
  open();
  std::thread stopper([&] {
    server_->await_requests(1);
    stop_.request_stop();
  });
  expect_error(get(), ErrorCode::kCancelled, {});
  stopper.join();
}

}  // namespace
}  // namespace gopline::payload
