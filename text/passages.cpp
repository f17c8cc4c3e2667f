// SPDX-License-Identifier: Apache-2.0
#include "text/passages.h"

#include <algorithm>

#include "core/check.h"
#include "text/passage_bound.h"

namespace mc::text {
namespace {

bool inside_character(std::string_view text, std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

// Tokens of a text by where they begin.
class TokenBounds {
  public:
    TokenBounds(std::string_view text, std::span<const std::uint16_t> sizes) : text_(text) {
        begins_.reserve(sizes.size() + 1);
        begins_.push_back(0);
        for (const std::uint16_t size : sizes) {
            MC_CHECK(size > 0, "a token without bytes");
            begins_.push_back(begins_.back() + size);
        }
        MC_CHECK(begins_.back() == text.size(), "the tokens' sizes add up to the text's");
    }

    std::size_t count() const { return begins_.size() - 1; }

    std::size_t begin(std::size_t token) const { return begins_[token]; }

    // The first token after `first` that a passage which ends at a byte does not hold.
    std::size_t end_token(std::size_t first, std::size_t byte) const {
        const auto after = std::upper_bound(
            begins_.begin() + static_cast<std::ptrdiff_t>(first) + 1, begins_.end(), byte);
        std::size_t token = static_cast<std::size_t>(after - begins_.begin()) - 1;
        while (token > first + 1 && inside_character(text_, begins_[token])) --token;
        return std::max(token, first + 1);
    }

  private:
    std::string_view text_;
    std::vector<std::size_t> begins_;
};

}  // namespace

std::vector<std::size_t> passage_ends(std::string_view text, TextShape shape) {
    std::vector<std::size_t> ends;
    for (std::size_t begin = 0; begin < text.size(); begin = ends.back()) {
        const std::string_view window = text.substr(begin, kPassageBytesMax);
        std::size_t size = window.size();
        if (const auto bound = first_bound(window, shape)) {
            size = *bound;
        } else if (begin + size < text.size()) {
            size = cut_within(window);
        }
        ends.push_back(begin + size);
    }
    return ends;
}

std::vector<TokenSpan> passage_tokens(std::string_view text,
                                      std::span<const std::uint16_t> token_sizes_bytes,
                                      std::uint64_t tokens_max, TextShape shape) {
    MC_CHECK(tokens_max > 0, "a passage has a token");
    const TokenBounds tokens(text, token_sizes_bytes);
    std::vector<TokenSpan> passages;
    for (std::size_t first = 0; first < tokens.count(); first = passages.back().end) {
        std::size_t end = first + std::min<std::size_t>(tokens_max, tokens.count() - first);
        const std::size_t begin = tokens.begin(first);
        const std::string_view window = text.substr(begin, tokens.begin(end) - begin);
        if (const auto bound = first_bound(window, shape)) {
            end = tokens.end_token(first, begin + *bound);
        } else if (end < tokens.count()) {
            end = tokens.end_token(first, begin + cut_within(window));
        }
        passages.push_back({first, end});
    }
    return passages;
}

}  // namespace mc::text
