#include "cli/blob_survey.h"

#include <algorithm>
#include <set>

#include "common/catalog/claims.h"
#include "common/payload/blob_key.h"
#include "common/reading/claim_fetcher.h"
#include "common/record/topics.h"

namespace gopline::cli {
namespace {

// The keys in this store to which records refer.
Result<std::set<std::string>> referenced_keys(Log& log, const payload::BlobStore& store,
                                              const Namespaces& namespaces, const StopToken& stop) {
  std::set<std::string> keys;
  for (const auto& name_space : namespaces) {
    GOPLINE_TRY(catalog::for_each_claim(log, record::topics_of(name_space).segments, stop,
                                        [&](const catalog::Claim& claim) -> Result<void> {
                                          if (auto key = store.key_of(claim.headers.dataref->uri))
                                            keys.insert(*key);
                                          return {};
                                        }));
    GOPLINE_TRY(catalog::for_each_thumbnail(log, record::topics_of(name_space).events, stop,
                                            [&](const record::Detection& event) -> Result<void> {
                                              if (auto key = store.key_of(event.thumbnail->ref->uri))
                                                keys.insert(*key);
                                              return {};
                                            }));
  }
  return keys;
}

Result<void> remove_orphans(payload::BlobStore& store, Timestamp cutoff, CollectReport& report,
                            const StopToken& stop) {
  for (const auto& orphan : report.orphans) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "{}: stopped", store.describe());
    auto now = store.stat(orphan.key, stop);
    if (!now && now.error().code == ErrorCode::kNotFound) continue;
    if (!now) return tl::unexpected<Error>(std::move(now.error()));
    if (now->modified >= cutoff) {  // a writer has found it present and is about to refer to it
      report.young.add(now->size);
      continue;
    }
    GOPLINE_TRY(store.remove(orphan.key, stop));
    report.removed.add(orphan.size);
  }
  return {};
}

}  // namespace

Result<CollectReport> collect_blobs(Log& log, payload::BlobStore& store, const Namespaces& namespaces,
                                    const CollectOptions& options, const Clock& clock,
                                    const StopToken& stop) {
  CollectReport report;
  auto cutoff = clock.now() - options.grace;
  std::vector<payload::BlobInfo> old;
  BlobSum young;
  for (const auto& name_space : namespaces) {
    GOPLINE_TRY(store.list(
        name_space + "/",
        [&](const payload::BlobInfo& blob) {
          if (!payload::parse_blob_key(blob.key)) {
            report.foreign.add(blob.size);
          } else if (blob.modified >= cutoff) {
            young.add(blob.size);
          } else {
            old.push_back(blob);
          }
          return true;
        },
        stop));
  }
  GOPLINE_ASSIGN(auto referenced, referenced_keys(log, store, namespaces, stop));
  for (auto& blob : old) {
    if (referenced.contains(blob.key)) {
      report.referenced.add(blob.size);
    } else {
      report.orphans.push_back(std::move(blob));
    }
  }
  report.young = young;
  if (options.remove) GOPLINE_TRY(remove_orphans(store, cutoff, report, stop));
  GOPLINE_ASSIGN(report.unfinished, store.collect_unfinished(cutoff, !options.remove, stop));
  return report;
}

Result<ClaimsReport> verify_claims(Log& log, payload::BlobSource& blobs, const Namespaces& namespaces,
                                   const std::function<void(std::uint64_t bytes)>& progress,
                                   const StopToken& stop) {
  ClaimsReport report;
  reading::ClaimFetcher fetcher(blobs, stop);
  auto check = [&](const std::string& stream, EpochNumber epoch, SegmentNumber segment,
                   const record::DataRef& ref) -> Result<void> {
    auto bytes = fetcher.fetch(std::vector{ref});
    if (bytes) {
      report.whole.add(bytes->size());
      progress(report.whole.bytes);
      return {};
    }
    auto code = bytes.error().code;
    if (code != ErrorCode::kNotFound && code != ErrorCode::kCorrupt) {
      return tl::unexpected<Error>(std::move(bytes.error()));
    }
    report.bad.push_back(
        {stream, ref.uri, epoch, segment, code == ErrorCode::kNotFound, std::move(bytes.error().message)});
    return {};
  };
  for (const auto& name_space : namespaces) {
    auto topics = record::topics_of(name_space);
    GOPLINE_TRY(catalog::for_each_claim(log, topics.segments, stop, [&](const catalog::Claim& claim) {
      const auto& headers = claim.headers;
      return check(headers.stream, headers.epoch, headers.segment, *headers.dataref);
    }));
    GOPLINE_TRY(catalog::for_each_thumbnail(log, topics.events, stop, [&](const record::Detection& event) {
      return check(event.stream, event.epoch, event.segment, *event.thumbnail->ref);
    }));
  }
  return report;
}

Result<BlobList> list_blobs(payload::BlobStore& store, const StopToken& stop) {
  BlobList list;
  auto listed = store.list(
      "",
      [&](const payload::BlobInfo& blob) {
        auto key = payload::parse_blob_key(blob.key);
        if (!key) {
          list.foreign.push_back(blob);
          return true;
        }
        auto same = [&](const StreamBlobs& s) {
          return s.topic_namespace == key->topic_namespace && s.stream == key->stream;
        };
        if (list.streams.empty() || !same(list.streams.back())) {
          list.streams.push_back({key->topic_namespace, key->stream, {}, key->hour, key->hour});
        }
        list.streams.back().sum.add(blob.size);
        list.streams.back().last_hour = key->hour;
        return true;
      },
      stop);
  if (!listed) return tl::unexpected<Error>(std::move(listed.error()));
  return list;
}

}  // namespace gopline::cli
