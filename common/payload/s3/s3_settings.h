#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"

namespace gopline::payload {

// Never in a message, a log line or describe().
struct S3Credentials {
  std::string access_key_id, secret_access_key, session_token;  // the last may be empty
};

enum class S3Addressing { kPath, kVirtualHost };  // ENDPOINT/BUCKET/KEY or BUCKET.ENDPOINT/KEY

struct S3Settings {
  std::string bucket;
  std::string prefix;  // of keys, without '/' at either end; may be empty
  std::string scheme = "https";
  std::string host;       // with ":port" where the endpoint has one; without the bucket
  std::string base_path;  // of the endpoint, without '/' at its end; percent-encoded
  std::string region = "us-east-1";
  S3Addressing addressing = S3Addressing::kPath;
  std::string ca_file;  // empty: the system's
  S3Credentials credentials;
  std::string sse;             // "", "AES256" or "aws:kms"
  std::string sse_kms_key_id;  // may be empty

  std::uint64_t part_size = 16 << 20;
  std::uint64_t multipart_threshold = 32 << 20;
  std::uint64_t range_size = 8 << 20;  // reads of more go in parallel ranges of so much
  std::size_t parallel = 4;            // transfers of one call
  Duration connect_timeout = std::chrono::seconds(10);
  Duration stall_timeout = std::chrono::seconds(30);  // of a transfer below 1 kB/s
  Duration patience = std::chrono::seconds(60);       // with what fails, since it first did

  std::string endpoint() const { return scheme + "://" + host + base_path; }
  std::string url() const;  // s3://BUCKET/PREFIX
};

// An environment variable's value. Tests give their own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

// Settings for s3://BUCKET/PREFIX. What `config_file` (name=value lines: docs/payloads.md) says wins over the
// environment (AWS_ACCESS_KEY_ID and so on), that over the profile's files, ~/.aws/credentials and
// ~/.aws/config. Errors name the file and line, or the variable, and never a secret's value.
Result<S3Settings> read_s3_settings(const std::string& url,
                                    const std::optional<std::filesystem::path>& config_file,
                                    const Environment& environment);

}  // namespace gopline::payload
