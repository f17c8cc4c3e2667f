// SPDX-License-Identifier: Apache-2.0
#include "eval/macros/rouge.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace mc::eval {
namespace {

std::vector<std::string> rouge_words(std::string_view text) {
    std::vector<std::string> words;
    bool inside = false;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_word = byte >= 0x80 || std::isalnum(byte) != 0;
        if (is_word && !inside) words.emplace_back();
        if (is_word) words.back() += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
        inside = is_word;
    }
    return words;
}

}  // namespace

double rouge_l(std::string_view written, std::string_view reference) {
    const auto one = rouge_words(written);
    const auto other = rouge_words(reference);
    std::vector<std::size_t> common(other.size() + 1,
                                    0);  // of one's words so far, by other's first
    for (const std::string& word : one) {
        std::size_t diagonal = 0;
        for (std::size_t i = 0; i < other.size(); ++i) {
            const std::size_t above = common[i + 1];
            common[i + 1] = word == other[i] ? diagonal + 1 : std::max(above, common[i]);
            diagonal = above;
        }
    }
    const auto shared = static_cast<double>(common.back());
    return shared == 0 ? 0 : 2 * shared / static_cast<double>(one.size() + other.size());
}

}  // namespace mc::eval
