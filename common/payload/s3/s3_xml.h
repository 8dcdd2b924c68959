#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/payload/blob_store.h"

// The XML of S3's answers and requests. What a server sends is taken apart with doubt: an answer that lacks
// what it must have is kCorrupt.
namespace gopline::payload {

struct S3ErrorDocument {
  std::string code, message;
  std::string region;  // where the bucket lies, if the server says so
};
// nullopt when `xml` is something else. Texts are cut at 300 bytes and have no control characters.
std::optional<S3ErrorDocument> parse_error(std::string_view xml);

// ListObjectsV2.
struct S3ObjectPage {
  std::vector<BlobInfo> objects;
  std::string next;  // continuation token; empty: the last page
};
Result<S3ObjectPage> parse_object_page(std::string_view xml);

// ListMultipartUploads.
struct S3Upload {
  std::string key, id;
  Timestamp initiated;
};
struct S3UploadPage {
  std::vector<S3Upload> uploads;
  bool more = false;
  std::string next_key, next_id;
};
Result<S3UploadPage> parse_upload_page(std::string_view xml);

// CreateMultipartUpload: the upload's id.
Result<std::string> parse_upload_id(std::string_view xml);

// CopyObject and UploadPartCopy.
struct S3CopyResult {
  std::string etag;
  std::optional<Timestamp> modified;
};
Result<S3CopyResult> parse_copy_result(std::string_view xml);

// The body of CompleteMultipartUpload: parts 1, 2, ... by their ETags.
std::string complete_upload_xml(const std::vector<std::string>& etags);

}  // namespace gopline::payload
