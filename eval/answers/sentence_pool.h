// SPDX-License-Identifier: Apache-2.0
// The sentences of the user's documents, what memories are filled with.
//
// A sentence ends at ".", "!" or "?" (and closing quotes) before a space, or at its paragraph's
// end; line breaks within it become spaces. Longer ones than kSentenceTokensMax are left out, so
// that a fact can be put near any place of a block. Value type. Errors: kInvalidInput for a
// document that is missing or too large, and when all together have no sentence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/hash.h"
#include "core/result.h"
#include "lm/tokenizer/tokenizer.h"

namespace mc::eval {

inline constexpr std::uint64_t kSentenceTokensMax = 128;

struct Sentence {
    std::string text;  // with what stands before it: a space, or an empty line before a paragraph
    std::uint32_t tokens = 0;
    std::uint32_t first_tokens = 0;  // where it begins a document, with nothing before it
    std::uint32_t document = 0;      // of the pool

    std::string_view bare() const;  // the text without what stands before it
};

struct SentencePool {
    std::vector<Sentence> sentences;  // of all documents, one after the other
    std::vector<std::string> document_names;
    std::vector<Hash128> document_hashes;
};

Result<SentencePool> read_sentences(std::span<const Path> documents,
                                    const lm::Tokenizer& tokenizer);

// The sentences of one text, with nothing else set.
std::vector<Sentence> split_sentences(std::string_view text);

}  // namespace mc::eval
