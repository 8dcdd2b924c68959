#include "common/payload/s3/s3_answer.h"

#include "common/payload/s3/retry.h"

namespace gopline::payload {
namespace {

constexpr std::size_t kShortest = 4;  // of a secret; hiding shorter ones would only garble the text

// "503 SlowDown: Please reduce your request rate"
std::string in_words(const S3Answer& answer) {
  auto out = std::to_string(answer.http.status);
  if (!answer.error.code.empty()) out += " " + answer.error.code;
  if (!answer.error.message.empty()) out += ": " + answer.error.message;
  return out;
}

// The second is versitygw's word.
bool is_unknown_key(const std::string& code) {
  return code == "InvalidAccessKeyId" || code == "XAdminUserNotFound";
}

bool is_stale_token(const std::string& code) {
  return code == "ExpiredToken" || code == "InvalidToken";
}

std::string what_to_check(const S3Settings& settings, const S3Answer& answer) {
  const auto& code = answer.error.code;
  if (code == "SignatureDoesNotMatch") {
    return fmt::format(
        "the secret key does not belong to the access key {}, or something between here and "
        "there changes requests",
        settings.credentials.access_key_id);
  }
  if (is_unknown_key(code)) {
    return fmt::format("{} does not know the access key {}", settings.endpoint(),
                       settings.credentials.access_key_id);
  }
  if (is_stale_token(code)) return "the session token is no longer valid: get a new one";
  if (code == "RequestTimeTooSkewed") return "this machine's clock is wrong";
  return fmt::format("the access key {} needs the right to do this in the bucket {}",
                     settings.credentials.access_key_id, settings.bucket);
}

bool is_full(const S3Answer& answer) {
  const auto& code = answer.error.code;
  return answer.http.status == 507 || code == "QuotaExceeded" || code == "XMinioStorageFull" ||
         code == "XMinioAdminBucketQuotaExceeded" || code == "InsufficientStorage" || code == "StorageFull";
}

Error make(ErrorCode code, std::string message) {
  return {code, std::move(message)};
}

Error worded(const S3Settings& settings, const std::string& uri, const S3Answer& answer) {
  const auto& code = answer.error.code;
  auto words = in_words(answer);
  auto status = answer.http.status;
  auto region = answer.error.region.empty() ? answer.http.header("x-amz-bucket-region") : answer.error.region;
  if (status == 301 || status == 307 || code == "AuthorizationHeaderMalformed") {
    return make(
        ErrorCode::kInvalidArgument,
        region.empty() || region == settings.region
            ? fmt::format("{}: the bucket is to be found elsewhere ({}): check endpoint, region and "
                          "addressing",
                          uri, words)
            : fmt::format("{}: the bucket lies in the region {}: set AWS_REGION={}", uri, region, region));
  }
  if (is_full(answer))
    return make(ErrorCode::kOutOfSpace, fmt::format("{}: the store is full ({})", uri, words));
  if (status == 401 || status == 403 || is_unknown_key(code) || is_stale_token(code)) {
    return make(ErrorCode::kPermissionDenied,
                fmt::format("{}: refused ({}): {}", uri, words, what_to_check(settings, answer)));
  }
  if (code == "NoSuchBucket") {
    return make(ErrorCode::kNotFound,
                fmt::format("{}: there is no bucket {} at {}: create it, or name another", uri,
                            settings.bucket, settings.endpoint()));
  }
  if (status == 404)
    return make(ErrorCode::kNotFound, fmt::format("{}: there is no such blob ({})", uri, words));
  if (status == 416)
    return make(ErrorCode::kCorrupt, fmt::format("{}: the blob ends before what is asked for", uri));
  if (status == 409 || status == 412) {
    return make(ErrorCode::kConflict, fmt::format("{}: somebody else writes it now ({})", uri, words));
  }
  if (status == 405 || status == 501) {
    return make(ErrorCode::kUnsupported, fmt::format("{}: the store does not support this ({})", uri, words));
  }
  if (prospect_of(status, code) == Prospect::kFewTries) {
    return make(ErrorCode::kCorrupt,
                fmt::format("{}: what arrives at the store is not what was sent ({}; {} tries)", uri, words,
                            answer.tries));
  }
  return make(status / 100 == 4 ? ErrorCode::kInvalidArgument : ErrorCode::kUnavailable,
              fmt::format("{}: the store answers {}", uri, words));
}

}  // namespace

Error error_of(const S3Settings& settings, const std::string& uri, const S3Answer& answer) {
  auto error = worded(settings, uri, answer);
  error.message = hide_secrets(settings.credentials, std::move(error.message));
  return error;
}

Error error_of(const S3Settings& settings, const std::string& uri, const HttpOutcome& outcome) {
  auto problem = hide_secrets(settings.credentials, outcome.problem);
  switch (outcome.end) {
    case HttpEnd::kUntrusted:
      return {ErrorCode::kPermissionDenied,
              fmt::format("{}: the certificate of {} is not trusted ({}): ca_file in --s3-config, or "
                          "AWS_CA_BUNDLE, names the file of the authority that signed it",
                          uri, settings.endpoint(), problem)};
    case HttpEnd::kUnusable:
      return {ErrorCode::kInvalidArgument,
              fmt::format("{}: {} cannot be asked: {}{}", uri, settings.endpoint(), problem,
                          settings.ca_file.empty() ? "" : " (ca_file: " + settings.ca_file + ")")};
    case HttpEnd::kDamaged:
      return {ErrorCode::kCorrupt, fmt::format("{}: {} answers with something else than was asked for: {}",
                                               uri, settings.endpoint(), problem)};
    case HttpEnd::kAnswered:
    case HttpEnd::kBroken:
      break;
  }
  return {ErrorCode::kUnavailable,
          fmt::format("{}: {} does not answer: {}", uri, settings.endpoint(), problem)};
}

std::string hide_secrets(const S3Credentials& credentials, std::string text) {
  for (const auto* secret : {&credentials.secret_access_key, &credentials.session_token}) {
    if (secret->size() < kShortest) continue;
    for (auto at = text.find(*secret); at != std::string::npos; at = text.find(*secret, at)) {
      text.replace(at, secret->size(), "***");
    }
  }
  return text;
}

}  // namespace gopline::payload
