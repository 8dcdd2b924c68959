#include "common/record/siem_forms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace gopline::record {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::Pair;

Detection enriched_detection() {
  Detection event;
  event.stream = "door";
  event.event = "1-2-3-motion.01234567-0";
  event.class_name = "motion";
  event.analyzer = {"motion", "1", "0123456789abcdef"};
  event.enrichments = {{"sites", "ab12", "stream", "door", R"({"site":"Basel","floor":2})"},
                       {"zones", "0-9", "zone", "gate", R"({"name":"main gate","floor":"ground"})"}};
  event.incomplete = {"plates"};
  return event;
}

TEST(SiemForms, OcsfHasAnEnrichmentForEachTable) {
  auto finding = json::parse(to_ocsf(enriched_detection(), "1"));
  ASSERT_EQ(finding["enrichments"].size(), 2u);
  EXPECT_EQ(finding["enrichments"][0], (json{{"name", "stream"},
                                             {"value", "door"},
                                             {"data", {{"site", "Basel"}, {"floor", 2}}},
                                             {"provider", "sites"},
                                             {"desc", "version ab12"}}));
  EXPECT_EQ(finding["evidences"][0]["data"]["incomplete"], json({"plates"}));
}

TEST(SiemForms, EcsHasLabels) {
  auto event = json::parse(to_ecs(enriched_detection(), "1"));
  EXPECT_EQ(event["labels"], (json{{"site", "Basel"}, {"floor", "ground"}, {"name", "main gate"}}));
  auto bare = enriched_detection();
  bare.enrichments.clear();
  EXPECT_FALSE(json::parse(to_ecs(bare, "1")).contains("labels"));
  EXPECT_FALSE(json::parse(to_ocsf(bare, "1")).contains("enrichments"));
}

TEST(SiemForms, LabelsAreTextAndTheLastTableWins) {
  EXPECT_THAT(labels_of(enriched_detection()),
              ElementsAre(Pair("floor", "ground"), Pair("name", "main gate"), Pair("site", "Basel")));
}

}  // namespace
}  // namespace gopline::record
