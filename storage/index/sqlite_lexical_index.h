// SPDX-License-Identifier: Apache-2.0
// LexicalIndex on SQLite FTS5: words of every block of a bank, ranked by BM25.
//
// sqlite_lexical_index.cpp is the one file that includes sqlite3.h. The table is contentless: text
// is in the store as tokens. Additions and their watermark are one transaction, which save() ends;
// other processes go on reading the state before it (write-ahead log).
// Threads: one connection behind a mutex. Errors: kStaleIndex for any damage, at open or later;
// kOutOfSpace and kIo, with the state of the last save.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/files.h"
#include "tree/indexes.h"

namespace mc::storage {

// Distinct words of a question that take part in a search; more only slow it down.
inline constexpr std::size_t kQuestionWordsMax = 256;

// A question as an FTS5 query in which no character is an operator: its distinct words, quoted,
// joined by OR. Empty when it has no word.
std::string match_expression(std::string_view question);

// An absent file is an empty index. When not writable, changes stay in memory.
Result<std::unique_ptr<LexicalIndex>> open_sqlite_index(const Path& path, bool writable);

// Deletes the database and its log. Errors: kIo.
Result<void> remove_sqlite_index(const Path& path);

}  // namespace mc::storage
