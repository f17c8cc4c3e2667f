// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/keys.h"

#include <concepts>
#include <span>

namespace mc::storage {
namespace {

constexpr std::size_t kHexBytesMax = 32;

template <std::unsigned_integral T>
void append_number(std::string& key, T number) {
    for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8)
        key.push_back(static_cast<char>(static_cast<unsigned char>(number >> shift)));
}

template <std::unsigned_integral T>
T take_number(std::string_view& key) {
    T number = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
        number = static_cast<T>((std::uint64_t{number} << 8) | static_cast<unsigned char>(key[i]));
    key.remove_prefix(sizeof(T));
    return number;
}

std::string hexadecimal(std::string_view key) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text = "key 0x";
    for (const char c : key.substr(0, kHexBytesMax)) {
        text.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
        text.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
    }
    return key.size() > kHexBytesMax ? text + "…" : text;
}

std::string number(std::uint64_t value) {
    return std::to_string(value);
}

std::string tagged_key(char tag, BankId bank, DocumentId document) {
    std::string key(1, tag);
    append_number(key, bank.value);
    append_number(key, document.value);
    return key;
}

std::optional<DocumentKey> parse_tagged_key(char tag, std::string_view key) {
    if (key.size() != 13 || key[0] != tag) return std::nullopt;
    key.remove_prefix(1);
    const BankId bank(take_number<std::uint32_t>(key));
    return DocumentKey{bank, DocumentId(take_number<std::uint64_t>(key))};
}

}  // namespace

std::string document_key(BankId bank, DocumentId document) {
    return tagged_key('d', bank, document);
}

std::string version_key(BankId bank, DocumentId document) {
    return tagged_key('e', bank, document);
}

std::string announcement_key(BankId bank, DocumentId document) {
    return tagged_key('f', bank, document);
}

std::string tombstone_key(BankId bank, DocumentId document) {
    return tagged_key('t', bank, document);
}

std::string original_key(BankId bank, DocumentId document) {
    return tagged_key('o', bank, document);
}

std::string piece_key(BankId bank, DocumentId document, std::uint64_t piece) {
    std::string key = tagged_key('p', bank, document);
    append_number(key, piece);
    return key;
}

std::string macro_key(BankId bank, std::string_view name) {
    std::string key = "m";
    append_number(key, bank.value);
    key += name;
    return key;
}

bool is_plain_name(std::string_view name) {
    bool plain = !name.empty() && name.size() <= kNameLengthMax;
    for (const char c : name)
        plain = plain && ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-');
    return plain;
}

std::string source_key(BankId bank, std::string_view source_name) {
    const Hash128 hash = xxh3_128(std::as_bytes(std::span(source_name)));
    std::string key = "s";
    append_number(key, bank.value);
    append_number(key, hash.high);
    append_number(key, hash.low);
    return key;
}

std::string token_key(DocumentId document, std::uint64_t chunk) {
    std::string key;
    append_number(key, document.value);
    append_number(key, chunk);
    return key;
}

std::string group_key(DocumentId document, Level level, NodeIndex parent) {
    std::string key;
    append_number(key, document.value);
    append_number(key, level.value);
    append_number(key, parent.value);
    return key;
}

std::string journal_key(BankId bank, CommitNumber commit) {
    std::string key;
    append_number(key, bank.value);
    append_number(key, commit.value);
    return key;
}

std::optional<DocumentKey> parse_document_key(std::string_view key) {
    return parse_tagged_key('d', key);
}

std::optional<DocumentKey> parse_version_key(std::string_view key) {
    return parse_tagged_key('e', key);
}

std::optional<DocumentKey> parse_announcement_key(std::string_view key) {
    return parse_tagged_key('f', key);
}

std::optional<DocumentKey> parse_tombstone_key(std::string_view key) {
    return parse_tagged_key('t', key);
}

std::optional<DocumentKey> parse_original_key(std::string_view key) {
    return parse_tagged_key('o', key);
}

std::optional<PieceKey> parse_piece_key(std::string_view key) {
    if (key.size() != 21) return std::nullopt;
    const auto document = parse_tagged_key('p', key.substr(0, 13));
    if (!document) return std::nullopt;
    key.remove_prefix(13);
    return PieceKey{document->bank, document->document, take_number<std::uint64_t>(key)};
}

std::optional<MacroKey> parse_macro_key(std::string_view key) {
    constexpr std::size_t kPrefix = 1 + sizeof(std::uint32_t);
    if (key.size() <= kPrefix || key[0] != 'm' || !is_plain_name(key.substr(kPrefix)))
        return std::nullopt;
    key.remove_prefix(1);
    const BankId bank(take_number<std::uint32_t>(key));
    return MacroKey{bank, key};
}

std::optional<TokenKey> parse_token_key(std::string_view key) {
    if (key.size() != 16) return std::nullopt;
    const DocumentId document(take_number<std::uint64_t>(key));
    return TokenKey{document, take_number<std::uint64_t>(key)};
}

std::optional<GroupKey> parse_group_key(std::string_view key) {
    if (key.size() != 17) return std::nullopt;
    const DocumentId document(take_number<std::uint64_t>(key));
    const Level level(take_number<std::uint8_t>(key));
    return GroupKey{document, level, NodeIndex(take_number<std::uint64_t>(key))};
}

std::optional<JournalKey> parse_journal_key(std::string_view key) {
    if (key.size() != 12) return std::nullopt;
    const BankId bank(take_number<std::uint32_t>(key));
    return JournalKey{bank, CommitNumber(take_number<std::uint64_t>(key))};
}

std::string describe_key(Database database, std::string_view key) {
    if (database == Database::kMeta || database == Database::kBanks) {
        for (const char c : key)
            if (c < ' ' || c > '~') return hexadecimal(key);
        return "\"" + std::string(key) + "\"";
    }
    if (database == Database::kDocuments)
        if (const auto parsed = parse_document_key(key))
            return "bank " + number(parsed->bank.value) + ", document " +
                   number(parsed->document.value);
    if (database == Database::kDocuments)
        if (const auto parsed = parse_version_key(key))
            return "bank " + number(parsed->bank.value) + ", superseded document " +
                   number(parsed->document.value);
    if (database == Database::kDocuments)
        for (const char tag : {'f', 't'})
            if (const auto parsed = parse_tagged_key(tag, key))
                return "bank " + number(parsed->bank.value) + ", forgotten document " +
                       number(parsed->document.value);
    if (database == Database::kDocuments)
        if (const auto parsed = parse_original_key(key))
            return "bank " + number(parsed->bank.value) + ", original of document " +
                   number(parsed->document.value);
    if (database == Database::kDocuments)
        if (const auto parsed = parse_piece_key(key))
            return "bank " + number(parsed->bank.value) + ", original of document " +
                   number(parsed->document.value) + ", piece " + number(parsed->piece);
    if (database == Database::kDocuments)
        if (const auto parsed = parse_macro_key(key))
            return "bank " + number(parsed->bank.value) + ", macro \"" + std::string(parsed->name) +
                   "\"";
    if (database == Database::kTokens)
        if (const auto parsed = parse_token_key(key))
            return "document " + number(parsed->document.value) + ", chunk " +
                   number(parsed->chunk);
    if (database == Database::kGists || database == Database::kStats)
        if (const auto parsed = parse_group_key(key))
            return "document " + number(parsed->document.value) + ", level " +
                   number(parsed->level.value) + ", parent " + number(parsed->parent.value);
    if (database == Database::kJournal)
        if (const auto parsed = parse_journal_key(key))
            return "bank " + number(parsed->bank.value) + ", commit " +
                   number(parsed->commit.value);
    return hexadecimal(key);
}

}  // namespace mc::storage
