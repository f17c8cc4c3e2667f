// SPDX-License-Identifier: Apache-2.0
// Names of the databases and the bytes of their keys. Numbers are big-endian, so that the order of
// keys is the order of numbers. Pure. Errors: parsing returns nullopt for a key of another form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/hash.h"
#include "core/ids.h"

namespace mc::storage {

enum class Database : unsigned char {
    kMeta,
    kBanks,
    kDocuments,
    kTokens,
    kGists,
    kStats,
    kJournal,
};
inline constexpr std::size_t kDatabaseCount = 7;

constexpr std::string_view database_name(Database database) {
    constexpr std::string_view kNames[kDatabaseCount] = {"meta",  "banks", "documents", "tokens",
                                                         "gists", "stats", "journal"};
    return kNames[static_cast<std::size_t>(database)];
}

// meta
inline constexpr std::string_view kMetaKey = "store";
inline constexpr std::string_view kCountersKey = "counters";
inline constexpr std::string_view kSealKey = "seal";  // of an encrypted store: its key header

// documents: 'd' bank document, and 's' bank hash-of-source-name. banks: the name itself.
std::string document_key(BankId bank, DocumentId document);
std::string source_key(BankId bank, std::string_view source_name);

// documents too: 'e' bank document, one that was replaced and kept as a version.
std::string version_key(BankId bank, DocumentId document);

// documents too: 'f' bank document, a document that is to be forgotten; 't', one that was.
std::string announcement_key(BankId bank, DocumentId document);
std::string tombstone_key(BankId bank, DocumentId document);

// documents too: 'o' bank document, what a document was converted from; 'p' bank document piece,
// its bytes.
std::string original_key(BankId bank, DocumentId document);
std::string piece_key(BankId bank, DocumentId document, std::uint64_t piece);

// documents too: 'm' bank name, a macro.
std::string macro_key(BankId bank, std::string_view name);

// Of a bank or a macro, which end up in paths, tables and URLs: 1 to 64 of A-Z a-z 0-9 . _ -
inline constexpr std::size_t kNameLengthMax = 64;
bool is_plain_name(std::string_view name);

// tokens: document chunk (position / 1,024)
std::string token_key(DocumentId document, std::uint64_t chunk);

// gists and stats: document level parent
std::string group_key(DocumentId document, Level level, NodeIndex parent);

// journal: bank commit
std::string journal_key(BankId bank, CommitNumber commit);

struct DocumentKey {
    BankId bank;
    DocumentId document;
};

struct PieceKey {
    BankId bank;
    DocumentId document;
    std::uint64_t piece;
};

struct MacroKey {
    BankId bank;
    std::string_view name;  // of the key that was parsed
};

struct TokenKey {
    DocumentId document;
    std::uint64_t chunk;
};

struct GroupKey {
    DocumentId document;
    Level level;
    NodeIndex parent;
};

struct JournalKey {
    BankId bank;
    CommitNumber commit;
};

std::optional<DocumentKey> parse_document_key(std::string_view key);
std::optional<DocumentKey> parse_version_key(std::string_view key);
std::optional<DocumentKey> parse_announcement_key(std::string_view key);
std::optional<DocumentKey> parse_tombstone_key(std::string_view key);
std::optional<DocumentKey> parse_original_key(std::string_view key);
std::optional<PieceKey> parse_piece_key(std::string_view key);
std::optional<MacroKey> parse_macro_key(std::string_view key);
std::optional<TokenKey> parse_token_key(std::string_view key);
std::optional<GroupKey> parse_group_key(std::string_view key);
std::optional<JournalKey> parse_journal_key(std::string_view key);

// For messages: "document 7, level 1, parent 3"; hexadecimal where the key has no known form.
std::string describe_key(Database database, std::string_view key);

}  // namespace mc::storage
