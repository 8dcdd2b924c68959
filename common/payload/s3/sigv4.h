#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/payload/s3/s3_settings.h"

// AWS Signature Version 4 for S3, as its documentation's "Authenticating Requests" says. Pure functions.
namespace gopline::payload {

// Names and values, of a query or of headers. Values of a query are not encoded yet.
using Fields = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

struct UnsignedRequest {
  std::string method;
  std::string host;  // with its port, as the Host header will have it
  std::string path;  // percent-encoded, from '/'
  Fields query;
  Fields headers;      // that are sent and signed besides those of the signature; names in lower case
  std::string sha256;  // of the body, in hex
};

// name=value&..., encoded and sorted: the form that is signed, and a valid query to send.
std::string encode_query(const Fields& query);

// The headers that make `request` a signed one: x-amz-date, x-amz-content-sha256, authorization, and with a
// session token x-amz-security-token.
Fields sign(const UnsignedRequest& request, const S3Credentials& credentials, const std::string& region,
            Timestamp now);

// The query of a URL by which anybody may send `request`, whose body is not signed, from `now` for `seconds`.
std::string presign_query(const UnsignedRequest& request, const S3Credentials& credentials,
                          const std::string& region, Timestamp now, std::int64_t seconds);

}  // namespace gopline::payload
