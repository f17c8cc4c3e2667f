// SPDX-License-Identifier: Apache-2.0
// A small file beside a store's records: sealed where the store is encrypted, and bound to its
// name. Free functions. Threads: any. Errors: those of core/files.h; kCorruption for a file that
// was changed, renamed, or not sealed with this store's key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/files.h"
#include "core/result.h"
#include "storage/seal/store_seal.h"

namespace mc::storage {

// seal: null where the store is not encrypted, here and below. content_bytes_max: of the content.
Result<std::string> read_store_file(const StoreSeal* seal, const Path& file,
                                    std::uint64_t content_bytes_max);

// As replace_file().
Result<void> replace_store_file(const StoreSeal* seal, const Path& file, std::string_view content);

}  // namespace mc::storage
