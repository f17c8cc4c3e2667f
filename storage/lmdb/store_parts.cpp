// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/store_parts.h"

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

}  // namespace mc::storage
