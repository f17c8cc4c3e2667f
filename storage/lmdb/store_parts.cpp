// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/store_parts.h"

#include <vector>

namespace mc::storage {

Result<void> StoreParts::require_writable() const {
    if (writable()) return {};
    return fail(ErrorCode::kInvalidInput,
                "store " + directory.string() + " was opened for reading");
}

Result<const GistCoder*> StoreParts::require_coder() const {
    if (coder) return coder.get();
    return fail(ErrorCode::kModelMismatch,
                "the gists of store " + directory.string() + " are coded with codebook " +
                    to_hex(*meta.codebook_hash) +
                    ", which is not part of this program: name its file with --codebook");
}

Result<void> erase_prefix(WriteTransaction& txn, Database database, const std::string& prefix) {
    std::vector<std::string> keys;
    MC_TRY(txn.scan_stored(database, prefix, [&](std::string_view key, ByteView) -> Result<bool> {
        if (!key.starts_with(prefix)) return false;
        keys.emplace_back(key);
        return true;
    }));
    for (const std::string& key : keys) MC_TRY(txn.erase(database, key));
    return {};
}

}  // namespace mc::storage
