// SPDX-License-Identifier: Apache-2.0
// A tokenizer of a few hundred tokens, so that its laws are tested where no model is installed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/check.h"
#include "lm/tokenizer/tokenizer.h"
#include "tests/formats/gguf_writer.h"

namespace mc::lm::test {

// Bytes that the toy vocabulary cannot spell, as SmolLM2's lacks some.
inline constexpr unsigned char kToyMissingBytes[] = {0x04, 0x16, 0xc0, 0xf5, 0xff};

// UTF-8 of a byte's character in GPT-2's byte alphabet, written a second time on purpose.
inline std::string byte_character(unsigned byte) {
    const auto prints = [](unsigned b) {
        return (b > 0x20 && b < 0x7f) || (b > 0xa0 && b != 0xad);
    };
    unsigned code = byte;
    if (!prints(byte)) {
        code = 0x100;
        for (unsigned earlier = 0; earlier < byte; ++earlier) code += prints(earlier) ? 0 : 1;
    }
    if (code < 0x80) return std::string(1, static_cast<char>(code));
    return {static_cast<char>(0xc0U | code >> 6), static_cast<char>(0x80U | (code & 0x3fU))};
}

inline std::string byte_spelling(std::string_view bytes) {
    std::string spelling;
    for (const char byte : bytes) spelling += byte_character(static_cast<unsigned char>(byte));
    return spelling;
}

struct ToyMerge {
    std::string left;
    std::string right;
};

// Highest priority first. Some parts overlap, so that order matters.
inline const std::vector<ToyMerge>& toy_merges() {
    static const std::vector<ToyMerge> merges = {
        {"t", "h"},           {"h", "e"},   {" ", " "},   {"l", "o"},       {"l", "l"},
        {"he", "l"},          {"a", "a"},   {"  ", "  "}, {"th", "e"},      {"aa", "aa"},
        {" ", "the"},         {"'", "s"},   {"\n", "\n"}, {"\xc3", "\xa9"}, {"b", "a"},
        {"a", "b"},           {"ab", "ab"}, {".", "."},   {"..", ".."},     {"\xe4", "\xbd"},
        {"\xe4\xbd", "\xa0"}, {"'", "r"},   {"y", "z"},   {"x", "y"},       {"yz", "w"},
        {"x", "yz"}};
    return merges;
}

inline GgufWriter toy_gguf(const std::string& pre = "smollm") {
    std::vector<std::string> tokens = {"<|end|>", "<|start|>"};
    for (unsigned byte = 0; byte < 256; ++byte) {
        const std::string_view missing(reinterpret_cast<const char*>(kToyMissingBytes),
                                       sizeof kToyMissingBytes);
        if (missing.find(static_cast<char>(byte)) == std::string_view::npos)
            tokens.push_back(byte_character(byte));
    }
    std::vector<std::string> merges;
    for (const ToyMerge& merge : toy_merges()) {
        merges.push_back(byte_spelling(merge.left) + " " + byte_spelling(merge.right));
        tokens.push_back(byte_spelling(merge.left + merge.right));
    }
    std::vector<std::int32_t> types(tokens.size(), 1);
    types[0] = types[1] = 3;
    GgufWriter writer;
    writer.with_string("tokenizer.ggml.model", "gpt2")
        .with_string("tokenizer.ggml.pre", pre)
        .with_strings("tokenizer.ggml.tokens", tokens)
        .with_ints("tokenizer.ggml.token_type", types)
        .with_strings("tokenizer.ggml.merges", merges)
        .with_uint("tokenizer.ggml.bos_token_id", 1)
        .with_uint("tokenizer.ggml.eos_token_id", 0);
    return writer;
}

inline std::unique_ptr<Tokenizer> make_toy_tokenizer(const std::string& pre = "smollm") {
    const std::string bytes = toy_gguf(pre).build();
    const auto file = parse_gguf(bytes);
    MC_CHECK(file.has_value(), "the toy file is valid");
    auto tokenizer = Tokenizer::from_gguf(**file);
    MC_CHECK(tokenizer.has_value(), tokenizer.error().to_string());
    return std::move(*tokenizer);
}

// The spelling of each token, for readable expectations: {"hel", "lo", "!"}.
inline std::vector<std::string> pieces(const Tokenizer& tokenizer, std::string_view text) {
    std::vector<std::string> result;
    for (const TokenId token : tokenizer.encode(text))
        result.emplace_back(tokenizer.bytes_of(token));
    return result;
}

}  // namespace mc::lm::test
