#pragma once
#include <string>

#include "common/base/result.h"
#include "common/payload/s3/http_lane.h"
#include "common/payload/s3/s3_settings.h"
#include "common/payload/s3/s3_xml.h"

namespace gopline::payload {

// What the server has said in the end, good or bad.
struct S3Answer {
  HttpResponse http;      // status 0: it was not asked
  S3ErrorDocument error;  // where it said why
  int tries = 0;
  bool ok() const { return http.status / 100 == 2; }
};

// An answer that is none of the caller's business as an error about `uri`: what was refused, in the server's
// words, and what to check.
Error error_of(const S3Settings& settings, const std::string& uri, const S3Answer& answer);

// The exchange did not come to an answer.
Error error_of(const S3Settings& settings, const std::string& uri, const HttpOutcome& outcome);

// `text` with everything replaced that is one of our secrets: servers and libraries may repeat what they got.
std::string hide_secrets(const S3Credentials& credentials, std::string text);

}  // namespace gopline::payload
