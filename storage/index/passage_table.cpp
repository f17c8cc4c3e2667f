// SPDX-License-Identifier: Apache-2.0
#include "storage/index/passage_table.h"

#include <algorithm>

#include "storage/index/passage_key.h"

namespace mc::storage {

const char* const kPassagesSchema = "CREATE TABLE passages(key INTEGER PRIMARY KEY, code BLOB);";

namespace {

std::string name_of(std::int64_t key) {
    const Passage passage = unpack_passage(key);
    return "passage [" + std::to_string(passage.tokens.begin) + ", " +
           std::to_string(passage.tokens.end) + ") of document " +
           std::to_string(passage.document.value);
}

}  // namespace

Result<void> insert_passages(SqliteConnection& connection, std::span<const std::int64_t> keys,
                             std::span<const std::byte> codes) {
    MC_ASSIGN(auto insertion,
              connection.prepare("INSERT OR IGNORE INTO passages(key, code) VALUES(?1, ?2)"));
    const std::size_t bytes = codes.size() / keys.size();
    for (std::size_t i = 0; i < keys.size(); ++i) {
        insertion.bind(1, keys[i]);
        insertion.bind(2, codes.subspan(i * bytes, bytes));
        MC_TRY(insertion.run());
        if (connection.changes() == 0)
            return fail(ErrorCode::kStaleIndex,
                        "the index of passages holds " + name_of(keys[i]) + " already");
    }
    return {};
}

Result<void> erase_passages(SqliteConnection& connection, std::span<const std::int64_t> keys) {
    MC_ASSIGN(auto removal, connection.prepare("DELETE FROM passages WHERE key = ?1"));
    for (const std::int64_t key : keys) {
        removal.bind(1, key);
        MC_TRY(removal.run());
        if (connection.changes() == 0)
            return fail(ErrorCode::kStaleIndex,
                        "the index of passages lacks " + name_of(key) + ", which is to go");
    }
    return {};
}

Result<std::vector<std::byte>> codes_of(const SqliteConnection& connection,
                                        std::span<const std::int64_t> keys) {
    std::vector<std::byte> codes;
    MC_ASSIGN(auto query, connection.prepare("SELECT code FROM passages WHERE key = ?1"));
    for (const std::int64_t key : keys) {
        query.bind(1, key);
        MC_ASSIGN(const bool row, query.step());
        if (!row)
            return fail(ErrorCode::kStaleIndex,
                        "the index of passages lacks " + name_of(key) + ", which is asked for");
        const auto code = query.blob(0);
        codes.insert(codes.end(), code.begin(), code.end());
        query.reset();
    }
    return codes;
}

Result<std::optional<Passage>> last_passage(const SqliteConnection& connection,
                                            DocumentId document) {
    MC_ASSIGN(auto query,
              connection.prepare("SELECT max(key) FROM passages WHERE key BETWEEN ?1 AND ?2"));
    const KeyRange range = keys_of(document);
    query.bind(1, range.first);
    query.bind(2, range.last);
    MC_ASSIGN(const bool row, query.step());
    if (!row || query.is_null(0)) return std::optional<Passage>();
    return std::optional<Passage>(unpack_passage(query.integer(0)));
}

Result<std::vector<Passage>> passages_in(const SqliteConnection& connection, DocumentId document,
                                         TokenSpan span) {
    std::vector<Passage> passages;
    const KeyRange range = keys_of(document);
    if (span.empty() || range.last < range.first) return passages;
    // A passage that begins more than its greatest length before the span cannot reach it.
    const std::uint64_t before = std::min(span.begin, kPassageTokensMax);
    MC_ASSIGN(auto query, connection.prepare("SELECT key FROM passages "
                                             "WHERE key >= ?1 AND key < ?2 ORDER BY key"));
    query.bind(1, key_at(range, span.begin - before));
    query.bind(2, key_at(range, span.end));
    for (;;) {
        MC_ASSIGN(const bool row, query.step());
        if (!row) return passages;
        const Passage passage = unpack_passage(query.integer(0));
        if (passage.tokens.end > span.begin) passages.push_back(passage);
    }
}

}  // namespace mc::storage
