#include "common/payload/s3/http_lane.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <mutex>

namespace gopline::payload {
namespace {

constexpr std::size_t kMostText = 16 << 20;      // of a listing or an error
constexpr std::size_t kMostHeaders = 256 << 10;  // of one answer
constexpr long kSlow = 1000;                     // bytes/s
constexpr long kConnections = 64;                // kept open by a lane

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Multi = std::unique_ptr<CURLM, MultiDeleter>;
using Easy = std::unique_ptr<CURL, EasyDeleter>;
using List = std::unique_ptr<curl_slist, ListDeleter>;

bool begin_curl() {
  static std::once_flag once;
  static bool begun = false;
  std::call_once(once, [] { begun = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK; });
  return begun;
}

long milliseconds(Duration duration) {
  return std::max(1L,
                  static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()));
}

long seconds(Duration duration) {
  return std::max(1L, static_cast<long>(std::chrono::ceil<std::chrono::seconds>(duration).count()));
}

// Reads a chain piece by piece, and again from the start when a connection turns out to be gone.
class ChainReader {
 public:
  explicit ChainReader(const BufferChain& chain) : chain_(chain) {}
  std::size_t read(char* into, std::size_t most) {
    std::size_t done = 0;
    while (done < most && at_ < chain_.buffers().size()) {
      auto bytes = chain_.buffers()[at_].bytes().subspan(offset_);
      auto count = std::min(most - done, bytes.size());
      std::memcpy(into + done, bytes.data(), count);
      done += count;
      offset_ += count;
      if (offset_ == chain_.buffers()[at_].size()) ++at_, offset_ = 0;
    }
    return done;
  }
  void seek(std::size_t position) {
    at_ = 0;
    while (at_ < chain_.buffers().size() && position >= chain_.buffers()[at_].size()) {
      position -= chain_.buffers()[at_++].size();
    }
    offset_ = position;
  }

 private:
  const BufferChain& chain_;
  std::size_t at_ = 0, offset_ = 0;
};

HttpEnd end_of(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return HttpEnd::kAnswered;
    case CURLE_PEER_FAILED_VERIFICATION:
      return HttpEnd::kUntrusted;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return HttpEnd::kUnusable;
    case CURLE_WRITE_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_FILESIZE_EXCEEDED:
      return HttpEnd::kDamaged;
    default:
      return HttpEnd::kBroken;
  }
}

}  // namespace

struct HttpLane::Transfer {
  Transfer(std::size_t slot_number, const HttpRequest& what)
      : slot(slot_number), request(what), body(what.body) {}

  static std::size_t give(char* into, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->body.read(into, size * count);
  }
  static int rewind(void* self, curl_off_t offset, int origin) {
    if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
    static_cast<Transfer*>(self)->body.seek(static_cast<std::size_t>(offset));
    return CURL_SEEKFUNC_OK;
  }
  static std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->take_header({bytes, size * count});
  }
  static std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->take_body(bytes, size * count);
  }

  std::size_t take_header(std::string_view line) {
    header_bytes += line.size();
    if (header_bytes > kMostHeaders) return refuse("headers without end");
    if (line.starts_with("HTTP/")) {
      response.headers.clear();  // those before were of a 100 Continue
      return line.size();
    }
    auto colon = line.find(':');
    if (colon == std::string_view::npos) return line.size();
    std::string name(line.substr(0, colon));
    for (auto& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    auto value = line.substr(colon + 1);
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.front()))) value.remove_prefix(1);
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back()))) value.remove_suffix(1);
    response.headers[std::move(name)] = value;
    return line.size();
  }

  std::size_t take_body(const char* bytes, std::size_t count) {
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 == 2 && !request.into.empty()) {
      if (count > request.into.size() - response.received) return refuse("more bytes than were asked for");
      std::memcpy(request.into.data() + response.received, bytes, count);
      response.received += count;
      return count;
    }
    if (count > kMostText - response.text.size()) return refuse("an answer without end");
    response.text.append(bytes, count);
    return count;
  }

  std::size_t refuse(const char* why) {
    refusal = why;
    return 0;
  }

  HttpOutcome outcome(CURLcode code) {
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    response.status = code == CURLE_OK ? static_cast<int>(status) : 0;
    HttpOutcome out{slot, end_of(code), {}, std::move(response)};
    if (code != CURLE_OK) {
      out.problem = !refusal.empty() ? refusal : error[0] != '\0' ? error.data() : curl_easy_strerror(code);
    }
    return out;
  }

  const std::size_t slot;
  const HttpRequest& request;
  Easy easy;
  List headers;
  ChainReader body;
  HttpResponse response;
  std::size_t header_bytes = 0;
  std::string refusal;
  std::array<char, CURL_ERROR_SIZE> error{};
};

struct HttpLane::State {
  Multi multi;
  std::map<CURL*, std::unique_ptr<Transfer>> transfers;
  std::vector<Easy> idle;
};

std::string HttpResponse::header(const std::string& name) const {
  auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

std::optional<Timestamp> parse_http_date(const std::string& text) {
  auto seconds_since = curl_getdate(text.c_str(), nullptr);
  if (seconds_since < 0) return std::nullopt;
  return Timestamp(std::chrono::seconds(seconds_since));
}

Result<std::unique_ptr<HttpLane>> HttpLane::make() {
  auto state = std::make_unique<State>();
  if (begin_curl()) state->multi.reset(curl_multi_init());
  if (!state->multi) return fail(ErrorCode::kInternal, "libcurl does not start");
  curl_multi_setopt(state->multi.get(), CURLMOPT_MAXCONNECTS, kConnections);
  return std::unique_ptr<HttpLane>(new HttpLane(std::move(state)));
}

HttpLane::HttpLane(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpLane::~HttpLane() {
  abandon();
}

namespace {

template <typename TransferType>
bool prepare(TransferType& transfer, const HttpRequest& request) {
  CURL* easy = transfer.easy.get();
  bool ok = true;
  auto set = [&](CURLoption option, auto value) {
    ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK;
  };
  curl_slist* list = nullptr;
  auto add = [&](const std::string& line) {
    auto* longer = curl_slist_append(list, line.c_str());
    ok = ok && longer != nullptr;
    if (longer) list = longer;
  };
  for (const auto& line : request.headers) add(line);
  // What curl would add of its own and the server would not find signed, or would make us wait for.
  for (const char* own : {"Expect:", "Content-Type:", "Accept:", "Transfer-Encoding:"}) add(own);
  transfer.headers.reset(list);

  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));  // a connection for each transfer
  set(CURLOPT_HTTPHEADER, list);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, transfer.error.data());
  set(CURLOPT_PRIVATE, &transfer);
  set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connect_timeout));
  set(CURLOPT_LOW_SPEED_LIMIT, kSlow);
  set(CURLOPT_LOW_SPEED_TIME, seconds(request.stall_timeout));
  if (request.time_limit) set(CURLOPT_TIMEOUT_MS, milliseconds(*request.time_limit));
  if (!request.ca_file.empty()) set(CURLOPT_CAINFO, request.ca_file.c_str());
  set(CURLOPT_BUFFERSIZE, 256L << 10);
  set(CURLOPT_UPLOAD_BUFFERSIZE, 1L << 20);

  set(CURLOPT_HEADERFUNCTION,
      static_cast<std::size_t (*)(char*, std::size_t, std::size_t, void*)>(&TransferType::take_header));
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION,
      static_cast<std::size_t (*)(char*, std::size_t, std::size_t, void*)>(&TransferType::take_body));
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_READFUNCTION, &TransferType::give);
  set(CURLOPT_READDATA, &transfer);
  set(CURLOPT_SEEKFUNCTION, &TransferType::rewind);
  set(CURLOPT_SEEKDATA, &transfer);
  auto size = static_cast<curl_off_t>(request.body.size());
  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request.method == "PUT") {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_INFILESIZE_LARGE, size);
  } else if (request.method == "POST") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, size);
  } else if (request.method != "GET") {
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  return ok;
}

}  // namespace

Result<void> HttpLane::start(std::size_t slot, const HttpRequest& request) {
  auto transfer = std::make_unique<Transfer>(slot, request);
  if (state_->idle.empty()) {
    transfer->easy.reset(curl_easy_init());
  } else {
    transfer->easy = std::move(state_->idle.back());
    state_->idle.pop_back();
  }
  CURL* easy = transfer->easy.get();
  if (!easy || !prepare(*transfer, request) || curl_multi_add_handle(state_->multi.get(), easy) != CURLM_OK) {
    return fail(ErrorCode::kInternal, "libcurl cannot begin a transfer");
  }
  state_->transfers.emplace(easy, std::move(transfer));
  return {};
}

std::vector<HttpOutcome> HttpLane::wait(Duration at_most) {
  auto* multi = state_->multi.get();
  std::vector<HttpOutcome> ended;
  auto collect = [&] {
    int active = 0, left = 0;
    curl_multi_perform(multi, &active);
    while (auto* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      auto code = message->data.result;  // of `message`, which goes with its handle
      auto found = state_->transfers.find(message->easy_handle);
      curl_multi_remove_handle(multi, found->first);
      ended.push_back(found->second->outcome(code));
      curl_easy_reset(found->second->easy.get());  // it points into the transfer
      state_->idle.push_back(std::move(found->second->easy));
      state_->transfers.erase(found);
    }
  };
  collect();
  if (!ended.empty()) return ended;
  curl_multi_poll(multi, nullptr, 0, static_cast<int>(std::min(milliseconds(at_most), 3'600'000L)), nullptr);
  collect();
  return ended;
}

void HttpLane::wake() {
  curl_multi_wakeup(state_->multi.get());
}

void HttpLane::abandon() {
  for (auto& [easy, transfer] : state_->transfers) curl_multi_remove_handle(state_->multi.get(), easy);
  state_->transfers.clear();
}

std::size_t HttpLane::running() const {
  return state_->transfers.size();
}

}  // namespace gopline::payload
