#include "common/payload/s3/s3_client.h"

#include <utility>

#include "common/bytes/digest.h"
#include "common/payload/blob_key.h"
#include "common/payload/s3/s3_batch.h"

namespace gopline::payload {
namespace {

constexpr std::size_t kLanesKept = 8;
constexpr int kLatePatience = 10;  // times the usual, for what the server does before it answers

}  // namespace

S3Client::S3Client(S3Settings settings, std::shared_ptr<const Clock> clock, std::function<double()> random)
    : settings_(std::move(settings)), clock_(std::move(clock)), random_(std::move(random)) {}

S3Client::~S3Client() = default;

Result<S3Answer> S3Client::run(S3Request request, const StopToken& stop) {
  std::vector<S3Request> one;
  one.push_back(std::move(request));
  GOPLINE_ASSIGN(auto answers, run(one, stop));
  return std::move(answers.front());
}

Result<std::vector<S3Answer>> S3Client::run(const std::vector<S3Request>& requests, const StopToken& stop) {
  if (requests.empty()) return std::vector<S3Answer>();
  GOPLINE_ASSIGN(auto lane, borrow_lane());
  auto answers = Batch(*this, *lane, requests).run(stop);
  give_back(std::move(lane));
  return answers;
}

S3Client::Address S3Client::address_of(const std::string& object) const {
  Address address{settings_.host, settings_.base_path};
  if (settings_.addressing == S3Addressing::kVirtualHost) {
    address.host = settings_.bucket + "." + settings_.host;
  } else {
    address.path += "/" + encode_path(settings_.bucket);
  }
  if (!object.empty()) address.path += "/" + encode_path(object);
  if (address.path.empty()) address.path = "/";
  return address;
}

HttpRequest S3Client::signed_request(const S3Request& request) const {
  auto address = address_of(request.object);
  auto headers = request.headers;
  if (request.range) {
    headers.emplace_back("range", fmt::format("bytes={}-{}", request.range->offset,
                                              request.range->offset + request.range->size - 1));
  }
  auto sha256 = !request.sha256.empty() ? request.sha256
                : request.body.empty()  ? std::string(kEmptySha256)
                                        : sha256_hex(request.body);
  auto added = sign({request.method, address.host, address.path, request.query, headers, sha256},
                    settings_.credentials, settings_.region, now());
  HttpRequest http;
  http.method = request.method;
  http.url = settings_.scheme + "://" + address.host + address.path;
  if (!request.query.empty()) http.url += "?" + encode_query(request.query);
  for (const auto* fields : {&headers, &added}) {
    for (const auto& [name, value] : *fields) http.headers.push_back(name + ": " + value);
  }
  http.body = request.body;
  http.into = request.into;
  http.ca_file = settings_.ca_file;
  http.connect_timeout = settings_.connect_timeout;
  http.stall_timeout = settings_.stall_timeout * (request.fails_late ? kLatePatience : 1);
  http.time_limit = request.one_try;
  return http;
}

std::string S3Client::presign(const std::string& object, std::int64_t seconds) const {
  auto address = address_of(object);
  return settings_.scheme + "://" + address.host + address.path + "?" +
         presign_query({"GET", address.host, address.path, {}, {}, {}}, settings_.credentials,
                       settings_.region, now(), seconds);
}

std::string S3Client::uri_of(const std::string& object) const {
  return "s3://" + settings_.bucket + (object.empty() ? "" : "/" + encode_path(object));
}

tl::unexpected<Error> S3Client::failure(const std::string& object, const S3Answer& answer) const {
  return tl::unexpected<Error>(error_of(settings_, uri_of(object), answer));
}

Timestamp S3Client::now() const {
  return clock_->now() + Duration(ahead_.load());
}

std::size_t S3Client::lanes_kept() const {
  std::lock_guard lock(mutex_);
  return lanes_.size();
}

Result<std::unique_ptr<HttpLane>> S3Client::borrow_lane() {
  {
    std::lock_guard lock(mutex_);
    if (!lanes_.empty()) {
      auto lane = std::move(lanes_.back());
      lanes_.pop_back();
      return lane;
    }
  }
  return HttpLane::make();
}

void S3Client::give_back(std::unique_ptr<HttpLane> lane) {
  std::lock_guard lock(mutex_);
  if (lanes_.size() < kLanesKept) lanes_.push_back(std::move(lane));
}

}  // namespace gopline::payload
