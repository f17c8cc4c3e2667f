// SPDX-License-Identifier: Apache-2.0
#include "storage/seal/store_file.h"

#include <span>

namespace mc::storage {

Result<std::string> read_store_file(const StoreSeal* seal, const Path& file,
                                    std::uint64_t content_bytes_max) {
    if (seal == nullptr) return read_file(file, content_bytes_max);
    MC_ASSIGN(const std::string sealed,
              read_file(file, content_bytes_max + Sealer::kOverheadBytes));
    const auto content =
        seal->files().open(file.filename().string(), std::as_bytes(std::span(sealed)));
    if (content)
        return std::string(reinterpret_cast<const char*>(content->data()), content->size());
    return fail(ErrorCode::kCorruption,
                file.string() +
                    ": its seal is broken: it was changed, or is not of this store; "
                    "remove it, or restore a copy");
}

Result<void> replace_store_file(const StoreSeal* seal, const Path& file, std::string_view content) {
    const auto bytes = std::as_bytes(std::span(content));
    if (seal == nullptr) return replace_file(file, bytes);
    return replace_file(file, seal->files().seal(file.filename().string(), bytes));
}

}  // namespace mc::storage
