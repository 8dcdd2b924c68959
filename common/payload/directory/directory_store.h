#pragma once
#include <filesystem>
#include <memory>

#include "common/payload/blob_store.h"

namespace gopline::payload {

// Blobs as plain files in a folder, that may be on a network file system several machines share: a key is a
// path. A blob is written beside its place, synced, and renamed; a reader sees all of it or nothing. URIs are
// file URLs (RFC 8089) of absolute paths; where the folder lies elsewhere on the reading machine, key_of()
// takes those whose end is a key of ours. With `create` a missing folder is made; without, there is nothing
// in it.
//
// kPermissionDenied, kOutOfSpace and kIo as the operating system says.
Result<std::unique_ptr<BlobStore>> open_directory_store(const std::filesystem::path& folder,
                                                        bool create = true);

}  // namespace gopline::payload
