#include "common/payload/s3/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <span>

#include "common/base/text.h"
#include "common/bytes/digest.h"

namespace gopline::payload {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string hmac(std::string_view key, std::string_view text) {
  unsigned size = EVP_MAX_MD_SIZE;
  std::string out(size, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text).data(), text.size(),
       reinterpret_cast<unsigned char*>(out.data()), &size);
  out.resize(size);
  return out;
}

// 20130524T000000Z
std::string compact(Timestamp time) {
  auto text = format_rfc3339(time).substr(0, 19) + "Z";
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string scope_of(std::string_view date, const std::string& region) {
  return fmt::format("{}/{}/s3/aws4_request", date.substr(0, 8), region);
}

std::string signed_names(const Fields& headers) {
  std::string out;
  for (const auto& [name, value] : headers) out += (out.empty() ? "" : ";") + name;
  return out;
}

Fields with_host(const UnsignedRequest& request) {
  auto headers = request.headers;
  headers.emplace_back("host", request.host);
  return headers;
}

// `headers` in order of their names.
std::string signature(const UnsignedRequest& request, const Fields& headers, const std::string& query,
                      const std::string& date, const std::string& region, const std::string& secret) {
  auto canonical = fmt::format("{}\n{}\n{}\n", request.method, request.path, query);
  for (const auto& [name, value] : headers) canonical += fmt::format("{}:{}\n", name, value);
  canonical += fmt::format("\n{}\n{}", signed_names(headers), request.sha256);
  auto to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, date, scope_of(date, region),
                             sha256_hex(bytes_of(canonical)));
  auto key = hmac("AWS4" + secret, date.substr(0, 8));
  for (const auto& part : {region, std::string("s3"), std::string("aws4_request")}) key = hmac(key, part);
  return hex_encode(bytes_of(hmac(key, to_sign)));
}

}  // namespace

std::string encode_query(const Fields& query) {
  Fields encoded;
  for (const auto& [name, value] : query) encoded.emplace_back(percent_encode(name), percent_encode(value));
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded)
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  return out;
}

Fields sign(const UnsignedRequest& request, const S3Credentials& credentials, const std::string& region,
            Timestamp now) {
  auto date = compact(now);
  Fields added{{"x-amz-content-sha256", request.sha256}, {"x-amz-date", date}};
  if (!credentials.session_token.empty()) {
    added.emplace_back("x-amz-security-token", credentials.session_token);
  }
  auto headers = with_host(request);
  headers.insert(headers.end(), added.begin(), added.end());
  std::sort(headers.begin(), headers.end());
  added.emplace_back("authorization",
                     fmt::format("{} Credential={}/{},SignedHeaders={},Signature={}", kAlgorithm,
                                 credentials.access_key_id, scope_of(date, region), signed_names(headers),
                                 signature(request, headers, encode_query(request.query), date, region,
                                           credentials.secret_access_key)));
  return added;
}

std::string presign_query(const UnsignedRequest& request, const S3Credentials& credentials,
                          const std::string& region, Timestamp now, std::int64_t seconds) {
  auto date = compact(now);
  auto headers = with_host(request);
  std::sort(headers.begin(), headers.end());
  auto query = request.query;
  query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  query.emplace_back("X-Amz-Credential", credentials.access_key_id + "/" + scope_of(date, region));
  query.emplace_back("X-Amz-Date", date);
  query.emplace_back("X-Amz-Expires", std::to_string(seconds));
  query.emplace_back("X-Amz-SignedHeaders", signed_names(headers));
  if (!credentials.session_token.empty()) {
    query.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  auto unsigned_body = request;
  unsigned_body.sha256 = kUnsignedPayload;
  auto encoded = encode_query(query);
  return encoded + "&X-Amz-Signature=" +
         signature(unsigned_body, headers, encoded, date, region, credentials.secret_access_key);
}

}  // namespace gopline::payload
