#include "common/payload/s3/s3_store.h"

#include <algorithm>
#include <new>
#include <random>
#include <utility>

#include "common/base/text.h"
#include "common/payload/blob_key.h"
#include "common/payload/s3/s3_client.h"
#include "common/payload/s3/s3_put.h"

namespace gopline::payload {
namespace {

constexpr std::string_view kUriScheme = "s3://";
constexpr Duration kLongestPresigned = std::chrono::days(7);

std::function<double()> own_random() {
  struct Generator {
    std::mutex mutex;
    std::mt19937_64 engine{std::random_device{}()};
  };
  return [generator = std::make_shared<Generator>()] {
    std::lock_guard lock(generator->mutex);
    return std::uniform_real_distribution<double>(0, 1)(generator->engine);
  };
}

// Keys come from records. S3 itself has no folders, but gateways over file systems and proxies before it do.
bool is_key(std::string_view key) {
  for (std::size_t begin = 0; begin <= key.size();) {
    auto end = std::min(key.find('/', begin), key.size());
    auto part = key.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return key.find('\0') == std::string_view::npos;
}

class S3Store final : public BlobStore {
 public:
  S3Store(S3Settings settings, S3StoreParts parts)
      : client_(std::move(settings), std::move(parts.clock), std::move(parts.random)) {}

  Result<PutBlob> put(const std::string& key, const BufferChain& bytes, StopToken stop) override {
    GOPLINE_ASSIGN(auto object, object_of(key));
    auto named = parse_blob_key(key);
    GOPLINE_ASSIGN(bool was_present,
                   S3Put(client_, abilities_).put(object, bytes, named ? named->sha256 : "", stop));
    return PutBlob{client_.uri_of(object), was_present};
  }

  Result<Buffer> get(const std::string& key, ByteRange range, StopToken stop) override {
    GOPLINE_ASSIGN(auto object, object_of(key));
    // A size is another's word: memory is taken once the store has confirmed it.
    if (range.size == 0 || range.size > client_.settings().range_size) {
      GOPLINE_ASSIGN(auto known, require_size(object, stop));
      if (range.offset > known || range.size > known - range.offset) {
        return fail(ErrorCode::kCorrupt, "{}: ends after {} bytes, but {} from {} are asked for",
                    client_.uri_of(object), known, range.size, range.offset);
      }
      if (range.size == 0) return Buffer();
    } else if (range.offset > UINT64_MAX - range.size) {
      return fail(ErrorCode::kCorrupt, "{}: no blob has {} bytes", client_.uri_of(object), range.offset);
    }
    std::shared_ptr<std::uint8_t[]> memory(new (std::nothrow) std::uint8_t[range.size]);
    if (!memory) {
      return fail(ErrorCode::kTooLarge, "{}: there is no memory for {}", client_.uri_of(object),
                  format_bytes(range.size));
    }
    std::span<std::uint8_t> bytes(memory.get(), range.size);
    GOPLINE_TRY(read(object, range, bytes, stop));
    return Buffer(std::move(memory), bytes);
  }

  Result<BlobInfo> stat(const std::string& key, StopToken stop) override {
    GOPLINE_ASSIGN(auto object, object_of(key));
    GOPLINE_ASSIGN(auto answer, S3Put(client_, abilities_).head(object, stop, true));
    if (!answer.ok()) return client_.failure(object, answer);
    auto size = size_of(answer);
    auto modified = parse_http_date(answer.http.header("last-modified"));
    if (!size || !modified) return incomplete(object);
    return BlobInfo{key, *size, *modified};
  }

  Result<void> list(const std::string& prefix, const std::function<bool(const BlobInfo&)>& each,
                    StopToken stop) override {
    S3Request request;
    request.method = "GET";
    request.query = {{"list-type", "2"}, {"encoding-type", "url"}, {"prefix", base() + prefix}};
    std::string token;
    do {
      auto page_request = request;
      if (!token.empty()) page_request.query.emplace_back("continuation-token", token);
      GOPLINE_ASSIGN(auto answer, client_.run(std::move(page_request), stop));
      if (!answer.ok()) return client_.failure("", answer);
      auto page = parse_object_page(answer.http.text);
      if (!page) return fail_with_context(describe(), std::move(page.error()));
      for (auto& object : page->objects) {
        if (!object.key.starts_with(base() + prefix)) continue;
        object.key.erase(0, base().size());
        if (object.key.empty() || object.key.ends_with('/')) continue;  // what some keep for a folder
        if (!each(object)) return {};
      }
      if (page->next == token) break;  // a server that turns in a circle
      token = std::move(page->next);
    } while (!token.empty());
    return {};
  }

  Result<void> remove(const std::string& key, StopToken stop) override {
    GOPLINE_ASSIGN(auto object, object_of(key));
    S3Request request;
    request.method = "DELETE";
    request.object = object;
    GOPLINE_ASSIGN(auto answer, client_.run(std::move(request), stop));
    if (answer.ok() || (answer.http.status == 404 && answer.error.code != "NoSuchBucket")) return {};
    return client_.failure(object, answer);
  }

  Result<std::int64_t> collect_unfinished(Timestamp before, bool dry_run, StopToken stop) override {
    std::int64_t found = 0;
    S3UploadPage page;
    do {
      S3Request request;
      request.method = "GET";
      request.query = {{"uploads", ""}, {"encoding-type", "url"}, {"prefix", base()}};
      if (page.more) {
        request.query.emplace_back("key-marker", page.next_key);
        request.query.emplace_back("upload-id-marker", page.next_id);
      }
      GOPLINE_ASSIGN(auto answer, client_.run(std::move(request), stop));
      if (!answer.ok()) return client_.failure("", answer);
      auto next = parse_upload_page(answer.http.text);
      if (!next) return fail_with_context(describe(), std::move(next.error()));
      bool turns = next->more && next->next_key == page.next_key && next->next_id == page.next_id;
      page = std::move(*next);
      for (const auto& upload : page.uploads) {
        if (upload.initiated >= before || !upload.key.starts_with(base())) continue;
        GOPLINE_ASSIGN(bool counted, dry_run ? Result<bool>(true) : abort_upload(upload, stop));
        found += counted;
      }
      if (turns) break;
    } while (page.more);
    return found;
  }

  Result<std::string> presign(const std::string& key, Duration valid_for) override {
    GOPLINE_ASSIGN(auto object, object_of(key));
    if (valid_for <= Duration(0) || valid_for > kLongestPresigned) {
      return fail(ErrorCode::kInvalidArgument, "{}: a URL is valid for up to 7 days", client_.uri_of(object));
    }
    return client_.presign(object, std::chrono::ceil<std::chrono::seconds>(valid_for).count());
  }

  std::string uri_of(const std::string& key) const override { return client_.uri_of(base() + key); }

  Result<std::string> key_of(const std::string& uri) const override {
    auto elsewhere = [&] {
      return fail(ErrorCode::kInvalidArgument, "'{}' is not in {}", without_secrets(uri), describe());
    };
    auto begin = std::string(kUriScheme) + client_.settings().bucket + "/";
    if (!uri.starts_with(begin)) return elsewhere();
    auto object = percent_decode(std::string_view(uri).substr(begin.size()));
    if (!object || !object->starts_with(base()) || !is_key(object->substr(base().size()))) return elsewhere();
    return object->substr(base().size());
  }

  std::string describe() const override { return client_.settings().url(); }

 private:
  // What every object's name begins with.
  std::string base() const {
    const auto& prefix = client_.settings().prefix;
    return prefix.empty() ? "" : prefix + "/";
  }

  Result<std::string> object_of(const std::string& key) const {
    if (!is_key(key))
      return fail(ErrorCode::kInvalidArgument, "'{}' is no key of a blob in {}", key, describe());
    return base() + key;
  }

  tl::unexpected<Error> incomplete(const std::string& object) const {
    return fail(ErrorCode::kCorrupt, "{}: the store does not say how large it is, or how old",
                client_.uri_of(object));
  }

  Result<std::uint64_t> require_size(const std::string& object, const StopToken& stop) {
    GOPLINE_ASSIGN(auto answer, S3Put(client_, abilities_).head(object, stop, true));
    if (!answer.ok()) return client_.failure(object, answer);
    auto size = size_of(answer);
    if (!size) return incomplete(object);
    return *size;
  }

  // Side by side in ranges, each straight to its place.
  Result<void> read(const std::string& object, ByteRange range, std::span<std::uint8_t> into,
                    const StopToken& stop) {
    std::vector<S3Request> requests;
    auto each = client_.settings().range_size;
    for (std::uint64_t at = 0; at < range.size; at += each) {
      auto size = std::min(each, range.size - at);
      auto& request = requests.emplace_back();
      request.method = "GET";
      request.object = object;
      request.range = ByteRange{range.offset + at, size};
      request.into = into.subspan(at, size);
    }
    GOPLINE_ASSIGN(auto answers, client_.run(requests, stop));
    for (const auto& answer : answers) {
      if (answer.http.status != 0 && !answer.ok()) return client_.failure(object, answer);
    }
    return {};
  }

  // False when it has ended meanwhile.
  Result<bool> abort_upload(const S3Upload& upload, const StopToken& stop) {
    S3Request request;
    request.method = "DELETE";
    request.object = upload.key;
    request.query = {{"uploadId", upload.id}};
    GOPLINE_ASSIGN(auto answer, client_.run(std::move(request), stop));
    if (!answer.ok() && answer.http.status != 404) return client_.failure(upload.key, answer);
    return answer.ok();
  }

  S3Client client_;
  S3Abilities abilities_;
};

}  // namespace

std::unique_ptr<BlobStore> open_s3_store(S3Settings settings, S3StoreParts parts) {
  if (!parts.random) parts.random = own_random();
  return std::make_unique<S3Store>(std::move(settings), std::move(parts));
}

Result<std::unique_ptr<BlobStore>> open_s3_store(const std::string& url,
                                                 const std::optional<std::filesystem::path>& config_file,
                                                 const Environment& environment) {
  GOPLINE_ASSIGN(auto settings, read_s3_settings(url, config_file, environment));
  return open_s3_store(std::move(settings));
}

}  // namespace gopline::payload
