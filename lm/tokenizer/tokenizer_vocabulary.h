// SPDX-License-Identifier: Apache-2.0
// The vocabulary of a byte-level tokenizer: every token's bytes, and tokens by their bytes.
//
// Internal to lm/tokenizer. Files spell a byte-level token in GPT-2's byte alphabet (a printable
// character for each byte) and a control token as it is. Ownership: views handed out die with the
// vocabulary. Threads: const, free. Errors: kInvalidInput that names the file's field and index.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "lm/tokenizer/tokenizer_parts.h"

namespace mc::lm {

class Vocabulary {
  public:
    static Result<std::unique_ptr<Vocabulary>> make(const TokenizerParts& parts);
    Vocabulary(const Vocabulary&) = delete;
    Vocabulary& operator=(const Vocabulary&) = delete;

    // Tokens of the file; 256 byte tokens follow, and the blank token.
    TokenId size() const { return size_; }

    TokenId blank_token() const { return size_ + 256; }

    // Requires: 0 ≤ id ≤ blank_token().
    std::string_view bytes_of(TokenId token) const;

    // The normal token with these bytes.
    std::optional<TokenId> find(std::string_view bytes) const;

    // The token of one byte: size() + byte where the vocabulary has none.
    TokenId byte_token(unsigned char byte) const { return byte_tokens_[byte]; }

    bool is_control(TokenId token) const;
    std::optional<TokenId> find_control(std::string_view spelling) const;

    // The bytes that a text in the byte alphabet stands for; empty optional for any other text.
    static std::optional<std::string> bytes_of_spelling(std::string_view spelling);

  private:
    Vocabulary() = default;
    Result<void> add(const TokenizerParts& parts);
    void index();

    TokenId size_ = 0;
    std::string arena_;                  // all tokens' bytes
    std::vector<std::uint64_t> begins_;  // token's first byte in the arena; one more than tokens
    std::vector<bool> is_control_;
    std::vector<bool> is_spellable_;  // a normal token in the byte alphabet: encode may produce it
    std::unordered_map<std::string_view, TokenId> by_bytes_;
    std::unordered_map<std::string_view, TokenId> controls_;
    std::array<TokenId, 256> byte_tokens_{};
};

}  // namespace mc::lm
