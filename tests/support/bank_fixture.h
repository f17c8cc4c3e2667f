// SPDX-License-Identifier: Apache-2.0
// Banks whose tokens spell bytes, so that a document's text has the hash of its record.
#pragma once

#include <optional>
#include <string>

#include "storage/portable/bank_file_writer.h"
#include "storage/portable/import_document.h"
#include "tests/support/store_fixture.h"

namespace mc::storage {

inline constexpr TokenId kSpelledTokens = 49152;

// One to five letters for each token.
inline std::string spelled(TokenId token) {
    const auto number = static_cast<std::size_t>(token);
    return std::string(1 + number % 5, static_cast<char>('a' + number % 26));
}

inline Result<std::string> spell(std::span<const TokenId> tokens) {
    std::string text;
    for (const TokenId token : tokens) {
        if (token < 0 || token >= kSpelledTokens)
            return fail(ErrorCode::kCorruption, "a token that nobody spells");
        text += spelled(token);
    }
    return text;
}

// A complete document of count tokens, in one commit, or in the place of another.
inline DocumentRecord add_spelled_document(NodeStore& bank, const std::string& name,
                                           std::uint64_t count,
                                           const std::optional<Succession>& succession = {}) {
    DocumentRecord draft;
    draft.source_name = name;
    draft.media_type = "text/plain";
    draft.created_us = succession ? succession->at_us : 17;
    draft.updated_us = draft.created_us + 1;
    draft.metadata = {{"author", "nobody"}, {"empty", ""}};
    draft.content_hash = xxh3_128({});
    const auto made =
        succession ? bank.replace_document(draft, *succession) : bank.create_document(draft);
    EXPECT_TRUE(made) << made.error().to_string();
    IngestBatch batch = next_batch(*made, count, kSpelledTokens);
    const std::string text = *spell(batch.tokens);
    for (std::size_t i = 0; i < batch.tokens.size(); ++i)
        batch.token_sizes_bytes[i] = static_cast<std::uint16_t>(spelled(batch.tokens[i]).size());
    batch.document.byte_count = text.size();
    batch.document.content_hash = xxh3_128(std::as_bytes(std::span(text)));
    batch.document.complete = true;
    const auto committed = bank.commit(batch);
    EXPECT_TRUE(committed) << committed.error().to_string();
    return batch.document;
}

inline std::string text_of_document(const NodeStore& bank, const DocumentRecord& document) {
    const auto tokens = bank.read_tokens(document.id, {0, document.token_count});
    EXPECT_TRUE(tokens) << tokens.error().to_string();
    return tokens ? *spell(*tokens) : std::string();
}

// Of all that a document says of itself, wherever it stands.
inline auto portable_part(const DocumentRecord& document) {
    return std::tuple(document.source_name, document.media_type, document.created_us,
                      document.updated_us, document.token_count, document.byte_count,
                      document.content_hash, document.complete, document.metadata, document.version,
                      document.superseded_us);
}

// As megacontext import does where the gists fit. Ends at the first error.
inline Result<BankFileTotals> import_all(BankFile& file, NodeStore& bank) {
    std::vector<Tombstone> tombstones;
    BankFile::Visit visit;
    visit.text_of = spell;
    visit.on_document = [&](FileDocument& document) {
        return import_document(bank, document.record(), document).map([](const auto&) {});
    };
    visit.on_tombstone = [&](const Tombstone& tombstone) { tombstones.push_back(tombstone); };
    MC_ASSIGN(const BankFileTotals totals, file.walk(visit));
    MC_TRY(import_tombstones(bank, tombstones));
    return totals;
}

}  // namespace mc::storage
