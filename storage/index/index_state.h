// SPDX-License-Identifier: Apache-2.0
// The one row in which a passage index says what it is and what it holds.
//
// Threads: as the connection. Errors: kStaleIndex for a row that is missing or of another format.
#pragma once

#include <cstdint>
#include <string>

#include "core/ids.h"
#include "core/result.h"
#include "storage/index/passage_words.h"
#include "storage/index/sqlite_connection.h"

namespace mc::storage {

// Of the file; another one is stale.
inline constexpr std::int64_t kPassageIndexFormat = 1;

// Table "state", and its row.
extern const char* const kStateSchema;

struct IndexState {
    std::int64_t saves = 0;  // counts them, so that a reader knows that something changed
    CommitNumber watermark;
    CollectionSize size;
    std::string embedder_name;
    std::string embedder_hash;     // hexadecimal
    std::uint32_t vector_dim = 0;  // 0: words alone
    std::string codec;
};

Result<IndexState> read_state(const SqliteConnection& connection);
Result<void> write_state(SqliteConnection& connection, const IndexState& state);

}  // namespace mc::storage
