// SPDX-License-Identifier: Apache-2.0
// Cuts text into the words that a BERT vocabulary without case and accents knows.
//
// As BERT's normaliser and pre-tokenizer do: control characters vanish, blanks separate, each
// CJK ideograph and each punctuation mark is a word, words are decomposed (NFD), lose their
// non-spacing marks and become lower case. Pure functions; ICU stays in the source file.
#pragma once

#include <functional>
#include <string_view>

namespace mc::embedder {

// One word in UTF-8, never empty; false ends the cutting. The view lives until the call returns.
using TakeWord = std::function<bool(std::string_view word)>;

// Bytes that are no UTF-8 vanish, as control characters do. Costs time for the text up to the
// stretch without blanks in which the cutting ends.
void cut_bert_words(std::string_view text, const TakeWord& take);

}  // namespace mc::embedder
