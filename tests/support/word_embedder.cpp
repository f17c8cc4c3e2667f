// SPDX-License-Identifier: Apache-2.0
#include "tests/support/word_embedder.h"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace mc {
namespace {

// ASCII letters, digits and whatever is not ASCII.
bool is_word_byte(char byte) {
    const auto value = static_cast<unsigned char>(byte);
    return value >= 0x80 || std::isalnum(value) != 0;
}

void add_word(std::string_view word, std::span<float> out) {
    const std::uint64_t signs = xxh3_64(std::as_bytes(std::span(word)));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += (signs >> i & 1U) != 0 ? 1.0F : -1.0F;
}

void embed_text(std::string_view text, std::span<float> out) {
    std::string word;
    for (const char byte : text) {
        if (is_word_byte(byte)) {
            word += static_cast<char>(std::tolower(static_cast<unsigned char>(byte)));
        } else if (!word.empty()) {
            add_word(word, out);
            word.clear();
        }
    }
    if (!word.empty()) add_word(word, out);
    float square = 0;
    for (const float x : out) square += x * x;
    if (square == 0) out[0] = square = 1;
    for (float& x : out) x /= std::sqrt(square);
}

}  // namespace

WordEmbedder::WordEmbedder()
    : info_{"words", xxh3_128(std::as_bytes(std::span("words", 5))), kDim} {}

Result<std::vector<float>> WordEmbedder::embed(std::span<const std::string> texts) {
    if (calls_left_ && *calls_left_ == 0)
        return fail(ErrorCode::kModel, "the word embedder was told to fail");
    if (calls_left_) --*calls_left_;
    text_count_ += texts.size();
    std::vector<float> out(texts.size() * kDim);
    for (std::size_t i = 0; i < texts.size(); ++i)
        embed_text(texts[i], std::span(out).subspan(i * kDim, kDim));
    return out;
}

}  // namespace mc
