#include "common/payload/s3/s3_xml.h"

#include <pugixml.hpp>

#include <algorithm>
#include <sstream>

#include "common/base/text.h"

namespace gopline::payload {
namespace {

constexpr std::size_t kMostText = 300;  // of what a server says, in a message of ours

// A document whose root is `root`, with or without a namespace's prefix or attribute.
struct Document {
  pugi::xml_document xml;
  pugi::xml_node root;
};

bool load(Document& document, std::string_view text, std::string_view root) {
  if (!document.xml.load_buffer(text.data(), text.size())) return false;
  document.root = document.xml.document_element();
  std::string_view name = document.root.name();
  if (auto colon = name.rfind(':'); colon != std::string_view::npos) name.remove_prefix(colon + 1);
  return name == root;
}

tl::unexpected<Error> unusable(std::string_view what) {
  return fail(ErrorCode::kCorrupt, "the store's answer is not a whole {}", what);
}

std::string text_of(const pugi::xml_node& parent, const char* name) {
  return parent.child_value(name);
}

std::string for_people(std::string text) {
  for (auto& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  if (text.size() > kMostText) text.resize(kMostText);
  return text;
}

// A name in a listing: as asked for with encoding-type=url, where the server says that it did so. Some write
// a space as '+', as forms do.
std::optional<std::string> name_of(const pugi::xml_node& parent, const char* name, bool encoded) {
  auto text = text_of(parent, name);
  if (!encoded) return text;
  std::replace(text.begin(), text.end(), '+', ' ');
  auto decoded = percent_decode(text);
  return decoded ? std::optional(std::move(*decoded)) : std::nullopt;
}

std::string etag_of(const pugi::xml_node& parent) {
  return text_of(parent, "ETag");
}

}  // namespace

std::optional<S3ErrorDocument> parse_error(std::string_view xml) {
  Document document;
  if (!load(document, xml, "Error")) return std::nullopt;
  return S3ErrorDocument{for_people(text_of(document.root, "Code")),
                         for_people(text_of(document.root, "Message")),
                         for_people(text_of(document.root, "Region"))};
}

Result<S3ObjectPage> parse_object_page(std::string_view xml) {
  constexpr std::string_view kWhat = "listing of objects";
  Document document;
  if (!load(document, xml, "ListBucketResult")) return unusable(kWhat);
  bool encoded = text_of(document.root, "EncodingType") == "url";
  S3ObjectPage page;
  for (auto entry : document.root.children("Contents")) {
    auto key = name_of(entry, "Key", encoded);
    auto size = parse_int64(text_of(entry, "Size"));
    auto modified = parse_rfc3339(text_of(entry, "LastModified"));
    if (!key || key->empty() || !size || *size < 0 || !modified) return unusable(kWhat);
    page.objects.push_back({std::move(*key), static_cast<std::uint64_t>(*size), *modified});
  }
  if (text_of(document.root, "IsTruncated") == "true") {
    page.next = text_of(document.root, "NextContinuationToken");
    if (page.next.empty()) return unusable(kWhat);
  }
  return page;
}

Result<S3UploadPage> parse_upload_page(std::string_view xml) {
  constexpr std::string_view kWhat = "listing of uploads";
  Document document;
  if (!load(document, xml, "ListMultipartUploadsResult")) return unusable(kWhat);
  bool encoded = text_of(document.root, "EncodingType") == "url";
  S3UploadPage page;
  for (auto entry : document.root.children("Upload")) {
    auto key = name_of(entry, "Key", encoded);
    auto initiated = parse_rfc3339(text_of(entry, "Initiated"));
    auto id = text_of(entry, "UploadId");
    if (!key || key->empty() || id.empty() || !initiated) return unusable(kWhat);
    page.uploads.push_back({std::move(*key), std::move(id), *initiated});
  }
  page.more = text_of(document.root, "IsTruncated") == "true";
  auto next = name_of(document.root, "NextKeyMarker", encoded);
  if (!next || (page.more && next->empty())) return unusable(kWhat);
  page.next_key = std::move(*next);
  page.next_id = text_of(document.root, "NextUploadIdMarker");
  return page;
}

Result<std::string> parse_upload_id(std::string_view xml) {
  Document document;
  if (!load(document, xml, "InitiateMultipartUploadResult")) return unusable("beginning of an upload");
  auto id = text_of(document.root, "UploadId");
  if (id.empty()) return unusable("beginning of an upload");
  return id;
}

Result<S3CopyResult> parse_copy_result(std::string_view xml) {
  Document document;
  if (!load(document, xml, "CopyObjectResult") && !load(document, xml, "CopyPartResult")) {
    return unusable("result of a copy");
  }
  S3CopyResult result{etag_of(document.root), std::nullopt};
  if (auto modified = parse_rfc3339(text_of(document.root, "LastModified"))) result.modified = *modified;
  return result;
}

std::string complete_upload_xml(const std::vector<std::string>& etags) {
  pugi::xml_document document;
  auto root = document.append_child("CompleteMultipartUpload");
  for (std::size_t i = 0; i < etags.size(); ++i) {
    auto part = root.append_child("Part");
    part.append_child("PartNumber").text().set(static_cast<unsigned>(i + 1));
    part.append_child("ETag").text().set(etags[i].c_str());
  }
  std::ostringstream out;
  document.save(out, "", pugi::format_raw | pugi::format_no_declaration);
  return out.str();
}

}  // namespace gopline::payload
