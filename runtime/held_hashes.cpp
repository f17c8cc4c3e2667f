// SPDX-License-Identifier: Apache-2.0
#include "runtime/held_hashes.h"

#include <algorithm>
#include <span>
#include <utility>

namespace mc::runtime {
namespace {

// Sessions that go on at the same time; a state is some 600 bytes.
constexpr std::size_t kHashesMax = 1024;

constexpr std::uint64_t kTokensAtOnce = 65536;

}  // namespace

Result<std::unique_ptr<StreamHash>> HeldHashes::take(const BankText& text,
                                                     const DocumentRecord& document) {
    if (const auto found = hashes_.extract(document.id);
        found && found.mapped()->digest() == document.content_hash)
        return std::move(found.mapped());
    auto hash = std::make_unique<StreamHash>();
    for (std::uint64_t at = 0; at < document.token_count; at += kTokensAtOnce) {
        const TokenSpan span{at, std::min(at + kTokensAtOnce, document.token_count)};
        MC_ASSIGN(const std::string piece, text.read_text(document.id, span));
        hash->update(std::as_bytes(std::span(piece)));
    }
    if (hash->digest() != document.content_hash)
        return fail(ErrorCode::kCorruption, "the text of " + document.source_name +
                                                " does not have the hash of its record; run "
                                                "megacontext verify");
    return hash;
}

void HeldHashes::keep(DocumentId document, std::unique_ptr<StreamHash> hash) {
    if (hashes_.size() >= kHashesMax) hashes_.clear();
    hashes_.insert_or_assign(document, std::move(hash));
}

}  // namespace mc::runtime
