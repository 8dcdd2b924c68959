#include "common/payload/s3/s3_xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"

namespace gopline::payload {
namespace {

TEST(S3Xml, AnErrorIsCodeAndMessage) {
  auto error = parse_error(
      "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>Access\nDenied &amp; so on</Message>"
      "<StringToSign>x</StringToSign></Error>");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, "AccessDenied");
  EXPECT_EQ(error->message, "Access Denied & so on");
  EXPECT_EQ(parse_error("<Error><Message>" + std::string(9999, 'x') + "</Message></Error>")->message.size(),
            300u);
  for (const char* other : {"", "<html>502</html>", "<Error>", "Error", "<CopyObjectResult/>"}) {
    EXPECT_FALSE(parse_error(other).has_value()) << other;
  }
}

constexpr const char* kPage = R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><EncodingType>url</EncodingType>
<IsTruncated>true</IsTruncated><NextContinuationToken>a/b=</NextContinuationToken>
<Contents><Key>p/a%252Fb/c+d%2B</Key><LastModified>2026-11-22T18:30:00.123Z</LastModified><ETag>"x"</ETag><Size>7</Size></Contents>
<Contents><Key>p/%C3%A9</Key><LastModified>2026-11-22T18:30:01.000Z</LastModified><Size>0</Size></Contents>
</ListBucketResult>)";

TEST(S3Xml, APageOfObjects) {
  auto page = parse_object_page(kPage);
  ASSERT_TRUE(page.has_value()) << page.error().message;
  ASSERT_EQ(page->objects.size(), 2u);
  EXPECT_EQ(page->objects[0].key, "p/a%2Fb/c d+");
  EXPECT_EQ(page->objects[0].size, 7u);
  EXPECT_EQ(format_rfc3339(page->objects[0].modified), "2026-11-22T18:30:00.123000Z");
  EXPECT_EQ(page->objects[1].key, "p/\xC3\xA9");
  EXPECT_EQ(page->next, "a/b=");
}

TEST(S3Xml, NamesAreTakenAsTheyAreUnlessTheServerEncodedThem) {
  auto page = parse_object_page(
      "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a%2Fb+c</Key>"
      "<LastModified>2026-11-22T18:30:00Z</LastModified><Size>1</Size></Contents></ListBucketResult>");
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->objects.at(0).key, "a%2Fb+c");
  EXPECT_EQ(page->next, "");
}

TEST(S3Xml, HalfAPageIsNone) {
  std::string whole = kPage;
  EXPECT_EQ(parse_object_page(whole.substr(0, whole.size() - 30)).error().code, ErrorCode::kCorrupt);
  for (const char* lost :
       {"<Size>7</Size>", "<Key>p/%C3%A9</Key>", "<NextContinuationToken>a/b=</NextContinuationToken>",
        "<LastModified>2026-11-22T18:30:01.000Z</LastModified>"}) {
    auto broken = whole;
    broken.erase(broken.find(lost), std::string_view(lost).size());
    EXPECT_EQ(parse_object_page(broken).error().code, ErrorCode::kCorrupt) << lost;
  }
  for (auto [from, to] : std::vector<std::pair<std::string, std::string>>{
           {">7<", ">-7<"}, {">7<", ">1e9<"}, {"%C3", "%C"}, {"ListBucketResult>", "Listing>"}}) {
    auto broken = whole;
    broken.replace(broken.find(from), from.size(), to);
    EXPECT_FALSE(parse_object_page(broken).has_value()) << to;
  }
}

TEST(S3Xml, APageOfUploads) {
  auto page = parse_upload_page(
      "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"
      "<NextUploadIdMarker>i</NextUploadIdMarker><Upload><Key>a</Key><UploadId>1</UploadId>"
      "<Initiated>2026-11-22T18:30:00.000Z</Initiated></Upload></ListMultipartUploadsResult>");
  ASSERT_TRUE(page.has_value()) << page.error().message;
  ASSERT_EQ(page->uploads.size(), 1u);
  EXPECT_EQ(page->uploads[0].key, "a");
  EXPECT_EQ(page->uploads[0].id, "1");
  EXPECT_TRUE(page->more);
  EXPECT_EQ(page->next_key, "k");
  EXPECT_EQ(page->next_id, "i");
  EXPECT_FALSE(
      parse_upload_page("<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>"
                        "</ListMultipartUploadsResult>"));
}

TEST(S3Xml, AnUploadsWay) {
  EXPECT_EQ(parse_upload_id(
                "<InitiateMultipartUploadResult><UploadId>u/1</UploadId></InitiateMultipartUploadResult>"),
            "u/1");
  EXPECT_FALSE(parse_upload_id("<InitiateMultipartUploadResult/>"));
  EXPECT_EQ(complete_upload_xml({"\"a\"", "<b>"}),
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>&lt;b&gt;</ETag></Part></CompleteMultipartUpload>");
  auto copy = parse_copy_result(
      "<CopyPartResult><ETag>\"e\"</ETag><LastModified>2026-11-22T18:30:00Z</LastModified>"
      "</CopyPartResult>");
  ASSERT_TRUE(copy.has_value());
  EXPECT_EQ(copy->etag, "\"e\"");
  EXPECT_EQ(format_rfc3339(*copy->modified), "2026-11-22T18:30:00.000000Z");
  EXPECT_FALSE(parse_copy_result("<Error/>"));
}

TEST(S3Xml, DeepNestingIsNoDanger) {
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "<a>";
  EXPECT_FALSE(parse_error(deep).has_value());
  for (int i = 0; i < 200'000; ++i) deep += "</a>";
  EXPECT_FALSE(parse_error(deep).has_value());
}

}  // namespace
}  // namespace gopline::payload
