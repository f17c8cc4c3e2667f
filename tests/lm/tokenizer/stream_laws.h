// SPDX-License-Identifier: Apache-2.0
// The two laws of StreamEncoder, for any tokenizer and text.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "lm/tokenizer/tokenizer.h"

namespace mc::lm::test {

// Streams text in chunks of the given sizes, over and over; every second chunk has at least a byte.
// Empty when the tokens are those of encode(text), nothing beyond the bound is held back, and
// encoding afresh from where each push ended gives the remaining tokens; else what is wrong.
inline std::string stream_law_broken(const Tokenizer& tokenizer, const std::string& text,
                                     const std::vector<std::size_t>& sizes) {
    const std::vector<TokenId> whole = tokenizer.encode(text);
    StreamEncoder stream(tokenizer);
    std::vector<TokenId> tokens;
    std::size_t token_bytes = 0;
    const auto append = [&](const std::vector<TokenId>& more) {
        for (const TokenId token : more) {
            tokens.push_back(token);
            token_bytes += tokenizer.bytes_of(token).size();
        }
    };
    std::size_t pushed = 0;
    for (std::size_t round = 0; pushed < text.size(); ++round) {
        const std::size_t wanted = std::max<std::size_t>(sizes[round % sizes.size()], round % 2);
        const std::size_t size = std::min(wanted, text.size() - pushed);
        const auto more = stream.push(std::string_view(text).substr(pushed, size));
        pushed += size;
        append(more);
        if (stream.held_back_bytes() > kHeldBackBytesMax) return "too much is held back";
        if (token_bytes + stream.held_back_bytes() != pushed) return "bytes went missing";
        if (more.empty()) continue;
        const auto rest = tokenizer.encode(std::string_view(text).substr(token_bytes));
        if (tokens.size() + rest.size() != whole.size() ||
            !std::equal(rest.begin(), rest.end(),
                        whole.begin() + static_cast<std::ptrdiff_t>(tokens.size())))
            return "restart at byte " + std::to_string(token_bytes) + " gives other tokens";
    }
    append(stream.finish());
    return tokens == whole ? "" : "the stream's tokens are not those of the whole";
}

}  // namespace mc::lm::test
