// SPDX-License-Identifier: Apache-2.0
#include "runtime/copy_version.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "runtime/ingest.h"
#include "runtime/versions.h"
#include "storage/portable/import_document.h"

namespace mc::runtime {
namespace {

// The original, which is in memory whole, then the text as the target's tokens.
Result<std::deque<storage::MadePiece>> pieces_of(BankSession& from, const DocumentRecord& version,
                                                 const lm::Tokenizer& tokenizer) {
    std::deque<storage::MadePiece> pieces;
    const NodeStore& nodes = from.nodes();
    MC_ASSIGN(const auto original, nodes.find_original(version.id));
    if (original) {
        pieces.emplace_back(*original);
        for (std::uint64_t at = 0; at < original->byte_count; at += storage::kOriginalPieceBytes) {
            const std::uint64_t end =
                std::min(at + storage::kOriginalPieceBytes, original->byte_count);
            MC_ASSIGN(std::string bytes, nodes.read_original(version.id, {at, end}));
            pieces.emplace_back(storage::OriginalPiece{std::move(bytes)});
        }
    }
    MC_ASSIGN(const std::string text, from.text().read_bytes(version.id, {0, version.byte_count}));
    const auto tokens = tokenizer.encode(text);
    for (std::size_t at = 0; at < tokens.size(); at += kTokensPerCommit) {
        const std::size_t end = std::min<std::size_t>(at + kTokensPerCommit, tokens.size());
        pieces.emplace_back(
            std::vector<TokenId>(tokens.begin() + static_cast<std::ptrdiff_t>(at),
                                 tokens.begin() + static_cast<std::ptrdiff_t>(end)));
    }
    return pieces;
}

}  // namespace

Result<void> copy_version(BankSession& from, const DocumentRecord& version, BankSession& to,
                          bool with_statistics, const std::atomic<bool>* cancelled) {
    MC_ASSIGN(const auto held, find_in_place_of(to.nodes(), version));
    if (held) return {};
    const lm::Tokenizer& tokenizer = to.text().tokenizer();
    MC_ASSIGN(auto pieces, pieces_of(from, version, tokenizer));
    const storage::DocumentMaking making{
        to.engine().encoder(),
        [&]() -> Result<std::optional<storage::MadePiece>> {
            if (pieces.empty()) return std::optional<storage::MadePiece>();
            std::optional<storage::MadePiece> next(std::move(pieces.front()));
            pieces.pop_front();
            return next;
        },
        [&](TokenId token) { return static_cast<std::uint16_t>(tokenizer.bytes_of(token).size()); },
        cancelled, with_statistics};
    return storage::import_encoding(to.nodes(), version, making).map([](const auto&) {});
}

}  // namespace mc::runtime
