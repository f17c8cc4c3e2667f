// SPDX-License-Identifier: Apache-2.0
#include "storage/index/index_size.h"

#include <string_view>
#include <system_error>

#include "storage/index/sqlite_connection.h"

namespace mc::storage {
namespace {

// FTS5's own tables are words_data, words_idx and so on.
bool holds_words(std::string_view table) {
    return table.starts_with("words") || table.starts_with("frequencies");
}

Result<std::uint64_t> file_bytes(const SqliteConnection& connection) {
    MC_ASSIGN(auto query, connection.prepare("SELECT page_count * page_size FROM "
                                             "pragma_page_count(), pragma_page_size()"));
    MC_TRY(query.step());
    return static_cast<std::uint64_t>(query.integer(0));
}

}  // namespace

Result<IndexSize> measure_index(const Path& path, const std::optional<IndexKeys>& keys) {
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return IndexSize();
    MC_ASSIGN(const auto connection,
              SqliteConnection::open(path, SqliteAccess::kRead, "index of passages", keys));
    MC_ASSIGN(auto query,
              connection->prepare("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE"));
    IndexSize size;
    for (;;) {
        MC_ASSIGN(const bool row, query.step());
        if (!row) break;
        const auto bytes = static_cast<std::uint64_t>(query.integer(1));
        if (holds_words(query.text(0)))
            size.word_bytes += bytes;
        else if (query.text(0) == "passages")
            size.vector_bytes += bytes;
    }
    MC_ASSIGN(const std::uint64_t all, file_bytes(*connection));
    size.other_bytes = all - size.vector_bytes - size.word_bytes;
    return size;
}

}  // namespace mc::storage
