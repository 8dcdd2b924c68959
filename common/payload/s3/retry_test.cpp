#include "common/payload/s3/retry.h"

#include <gtest/gtest.h>

namespace gopline::payload {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kEnd = SteadyTime();

RetrySchedule schedule(Duration patience = seconds(60), double random = 0.5) {
  return {patience, [random] { return random; }};
}

TEST(Retry, TellsWhatMayPassFromWhatWillNot) {
  for (int status : {408, 429, 500, 502, 503, 504})
    EXPECT_EQ(prospect_of(status, ""), Prospect::kPatience) << status;
  for (int status : {200, 301, 400, 401, 403, 404, 405, 409, 411, 412, 416, 501, 507}) {
    EXPECT_EQ(prospect_of(status, ""), Prospect::kNone) << status;
  }
  EXPECT_EQ(prospect_of(400, "RequestTimeout"), Prospect::kPatience);
  EXPECT_EQ(prospect_of(409, "OperationAborted"), Prospect::kPatience);
  EXPECT_EQ(prospect_of(400, "XAmzContentSHA256Mismatch"), Prospect::kFewTries);
  EXPECT_EQ(prospect_of(403, "AccessDenied"), Prospect::kNone);
}

TEST(Retry, TheBoundOfTheWaitDoublesUpToALimit) {
  auto retry = schedule(seconds(1000));
  for (auto expected : {100, 200, 400, 800, 1600, 3200, 5000, 5000}) {
    EXPECT_EQ(retry.after_failure(kEnd, Prospect::kPatience), milliseconds(expected));
  }
  EXPECT_EQ(retry.tries(), 9);
}

TEST(Retry, TheServersWishCounts) {
  EXPECT_EQ(schedule().after_failure(kEnd, Prospect::kPatience, seconds(3)), seconds(3));
  EXPECT_EQ(schedule().after_failure(kEnd, Prospect::kPatience, milliseconds(1)), milliseconds(100));
  EXPECT_EQ(schedule().after_failure(kEnd, Prospect::kPatience, seconds(61)), std::nullopt)
      << "longer than anybody here waits";
}

TEST(Retry, PatienceCountsFromTheFirstFailure) {
  auto retry = schedule();
  auto now = kEnd + std::chrono::hours(1);  // a long transfer
  EXPECT_TRUE(retry.after_failure(now, Prospect::kPatience).has_value());
  EXPECT_TRUE(retry.after_failure(now + seconds(59), Prospect::kPatience).has_value());
  EXPECT_EQ(retry.after_failure(now + seconds(60), Prospect::kPatience), std::nullopt);
  EXPECT_EQ(retry.tried_for(now + seconds(60)), seconds(60));
}

TEST(Retry, WithoutPatienceThereIsOneTry) {
  EXPECT_EQ(schedule(Duration(0)).after_failure(kEnd, Prospect::kPatience), std::nullopt);
}

TEST(Retry, DamageIsTriedAFewTimesAndARefusalNever) {
  auto retry = schedule();
  EXPECT_TRUE(retry.after_failure(kEnd, Prospect::kFewTries).has_value());
  EXPECT_TRUE(retry.after_failure(kEnd, Prospect::kFewTries).has_value());
  EXPECT_EQ(retry.after_failure(kEnd, Prospect::kFewTries), std::nullopt);
  EXPECT_EQ(retry.failures(), 3);
  EXPECT_EQ(schedule().after_failure(kEnd, Prospect::kNone), std::nullopt);
}

}  // namespace
}  // namespace gopline::payload
