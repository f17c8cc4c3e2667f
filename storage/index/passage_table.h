// SPDX-License-Identifier: Apache-2.0
// The passages that an index holds, in the order of their keys, with the codes of their vectors.
//
// Not durable by itself: who changes it runs a transaction around. Threads: as the connection.
// Errors: kStaleIndex for a passage that is added twice, or removed and not there; those of the
// connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/result.h"
#include "storage/index/sqlite_connection.h"
#include "tree/passage_index.h"

namespace mc::storage {

// Table "passages": key, and code or null.
extern const char* const kPassagesSchema;

// Requires: codes has as many bytes for each key, or none. keys is not empty.
Result<void> insert_passages(SqliteConnection& connection, std::span<const std::int64_t> keys,
                             std::span<const std::byte> codes);
Result<void> erase_passages(SqliteConnection& connection, std::span<const std::int64_t> keys);

// The codes of passages that are there, one behind the other.
Result<std::vector<std::byte>> codes_of(const SqliteConnection& connection,
                                        std::span<const std::int64_t> keys);

// As PassageIndex has them.
Result<std::optional<Passage>> last_passage(const SqliteConnection& connection,
                                            DocumentId document);
Result<std::vector<Passage>> passages_in(const SqliteConnection& connection, DocumentId document,
                                         TokenSpan span);

}  // namespace mc::storage
