// SPDX-License-Identifier: Apache-2.0
// From bytes of a text to its tokens. Value type. Memory: eight bytes a token.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "lm/tokenizer/tokenizer.h"

namespace mc::eval {

class TokenBounds {
  public:
    TokenBounds(const lm::Tokenizer& tokenizer, std::string_view text);

    std::uint64_t token_count() const { return ends_.size(); }

    // The tokens that hold a byte of the span. Requires: it is not empty and within the text.
    TokenSpan tokens_of(ByteSpan bytes) const;

  private:
    std::vector<std::uint64_t> ends_;  // byte behind each token
};

}  // namespace mc::eval
