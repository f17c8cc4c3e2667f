// SPDX-License-Identifier: Apache-2.0
// Writes one redaction into a write transaction: blank tokens and the byte offsets after them,
// gists in the place of others, the document's record. A redaction that does not fit its document
// is a bug (MC_CHECK). Threads: one. Errors: those of the transaction; kModel from the gist codec;
// kCorruption where a chunk or group on disk does not fit the document's record.
#pragma once

#include "storage/lmdb/store_parts.h"

namespace mc::storage {

// stored: as it stands before; afterwards as it stands on disk. Cost: writes every chunk of tokens
// from the first run on.
Result<void> write_redaction(WriteTransaction& txn, const StoreMeta& meta, const GistCoder& coder,
                             StoredDocument& stored, const Redaction& redaction);

}  // namespace mc::storage
