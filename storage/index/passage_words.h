// SPDX-License-Identifier: Apache-2.0
// The words of a bank's passages: SQLite FTS5 holds which passage has which term, a table how many
// passages have it.
//
// FTS5's own ranking reads every passage that holds any of the question's words. Here the rarest
// words name the candidates, at most kCandidatesMax, and the others are looked up among those, so
// that a question costs about the same however many passages there are.
// Not durable by itself: who changes it runs a transaction around. Threads: one at a time.
// Errors: those of the connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "storage/index/passage_key.h"
#include "storage/index/sqlite_connection.h"

namespace mc::storage {

// Passages that are looked at for one question.
inline constexpr std::size_t kCandidatesMax = 2048;
// Distinct terms of a question that take part: its weightiest.
inline constexpr std::size_t kQuestionTermsMax = 48;

// Tables "words" (FTS5) and "frequencies".
extern const char* const kWordsSchema;

struct KeyScore {
    std::int64_t key = 0;
    float score = 0;
};

// Sizes that a ranking needs of the whole collection.
struct CollectionSize {
    std::uint64_t passages = 0;
    std::uint64_t tokens = 0;
};

struct KeyText {
    std::int64_t key = 0;
    std::string_view text;
};

Result<void> add_words(SqliteConnection& connection, std::span<const KeyText> passages);
// Requires: each was added with this very text.
Result<void> remove_words(SqliteConnection& connection, std::span<const KeyText> passages);

// The best passages within the ranges (none: everywhere), best first, equal ones newest first.
// Requires: ranges ascend and share no key.
// Score: the share of the question's weight (its terms', by rarity) that a passage holds, less for
// passages that are longer than the mean (BM25's length normalisation); 0 to 1.
Result<std::vector<KeyScore>> search_words(const SqliteConnection& connection,
                                           std::string_view question, std::size_t count,
                                           std::span<const KeyRange> ranges,
                                           const CollectionSize& size);

}  // namespace mc::storage
