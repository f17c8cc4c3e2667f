// SPDX-License-Identifier: Apache-2.0
// Forgetting a part of a document: its tokens become blank, which spell nothing, and every gist
// that has read one of them is made anew from what stays.
//
// Positions of tokens stay as they are, so the tree, the other passages and their vectors do too;
// bytes after the part come earlier. What the document was converted from goes, because it tells
// the part as well; its places stay. Ownership: borrows the session. Threads: one. Errors: the
// store's, the index's, the encoder's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "runtime/bank_session.h"

namespace mc::runtime {

// Most tokens of one call: their gists are made again before anything is stored.
inline constexpr std::uint64_t kRedactedTokensMax = 65'536;

// A stretch of a document in whole tokens.
struct DocumentPart {
    TokenSpan tokens;
    ByteSpan bytes;
};

// The whole tokens that hold these bytes: ascending, apart, and without what is blank already.
// Requires: the stretches lie within the document. Errors: kInvalidInput for one that is empty, and
// for more than kRedactedTokensMax tokens.
Result<std::vector<DocumentPart>> parts_of(const BankText& text, const DocumentRecord& document,
                                           std::span<const ByteSpan> bytes);

// What a document's metadata say of parts that were forgotten: a line for each time, "2026-03-01T…
// 12 tokens: reason"; the newest kForgottenLinesMax.
inline constexpr std::string_view kForgottenKey = "megacontext.forgotten";
inline constexpr std::size_t kForgottenLinesMax = 32;

// Takes what is announced out of the index and the store. A kill at any instant leaves the
// announcement, and the same call goes on. Requires: the announcement has parts; the engine has its
// model. Cost: reads the document's text, and 1.125 passes of the base model over some 768 tokens
// for each part.
Result<void> redact(BankSession& session, const Tombstone& announced);

}  // namespace mc::runtime
