// SPDX-License-Identifier: Apache-2.0
// Writes one ingest batch into a write transaction: chunks of tokens, groups of gists, the
// document's record. A batch that does not continue its document is a bug (MC_CHECK).
// Threads: one. Errors: those of the transaction; kModel from the gist codec; kCorruption where the
// newest chunk or group on disk does not fit the document's record.
#pragma once

#include "storage/lmdb/store_parts.h"

namespace mc::storage {

// stored: as it stands before the batch; afterwards as it stands on disk.
Result<void> write_batch(WriteTransaction& txn, const StoreMeta& meta, const GistCoder& coder,
                         StoredDocument& stored, const IngestBatch& batch);

// Encodes a gist at a group's end. A group without gists is made by empty_group(). A gist of
// another shape is a bug.
Result<void> append_gist(StoredGroup& group, const Gist& gist, const StoreMeta& meta,
                         const GistCoder& coder);
StoredGroup empty_group(const StoreMeta& meta);

// Tokens in a chunk of a document of token_count tokens, and gists under a parent where count
// gists exist at their level.
std::uint64_t chunk_size(std::uint64_t token_count, std::uint64_t chunk);
std::uint64_t group_size(std::uint64_t gist_count, NodeIndex parent);

// A chunk that must exist, with as many tokens as the document's record says.
Result<TokenChunk> require_chunk(const ReadTransaction& txn, const DocumentRecord& document,
                                 std::uint64_t chunk);

// A group that must exist, with as many gists as the document's record says.
Result<StoredGroup> require_group(const ReadTransaction& txn, const StoreMeta& meta,
                                  const StoredDocument& document, Level level, NodeIndex parent);

}  // namespace mc::storage
