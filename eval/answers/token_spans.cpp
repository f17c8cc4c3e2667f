// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/token_spans.h"

#include <algorithm>

#include "core/check.h"

namespace mc::eval {

TokenBounds::TokenBounds(const lm::Tokenizer& tokenizer, std::string_view text) {
    std::uint64_t end = 0;
    for (const TokenId token : tokenizer.encode(text))
        ends_.push_back(end += tokenizer.bytes_of(token).size());
}

TokenSpan TokenBounds::tokens_of(ByteSpan bytes) const {
    MC_CHECK(bytes.begin < bytes.end && bytes.end <= ends_.back(), "bytes beyond the text");
    const auto begin = std::ranges::upper_bound(ends_, bytes.begin) - ends_.begin();
    const auto end = std::ranges::lower_bound(ends_, bytes.end) - ends_.begin() + 1;
    return {static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end)};
}

}  // namespace mc::eval
