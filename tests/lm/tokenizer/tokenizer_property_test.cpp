// SPDX-License-Identifier: Apache-2.0
// Laws of encoding for any bytes and any chunking, on the toy vocabulary.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "tests/lm/tokenizer/stream_laws.h"
#include "tests/lm/tokenizer/toy_tokenizer.h"

namespace mc::lm::test {
namespace {

const std::vector<std::string> kPatterns = {"smollm", "llama-bpe", "qwen2"};

const Tokenizer& toy(const std::string& pattern = "smollm") {
    static std::map<std::string, std::unique_ptr<Tokenizer>> tokenizers;
    std::unique_ptr<Tokenizer>& tokenizer = tokenizers[pattern];
    if (!tokenizer) tokenizer = make_toy_tokenizer(pattern);
    return *tokenizer;
}

// Texts dense in what splitting depends on.
rc::Gen<std::string> texts() {
    static const std::vector<std::string> parts = {
        "a",    "ab",       "the",      "hello",      " ",      "  ",     "\n",
        "\t",   "7",        "42",       "'",          "'s",     "'re",    "'l",
        "...",  "\u00e9",   "\u4f60",   "\u00a0",     "\xc3",   "\xff",   std::string(1, '\0'),
        "\x04", "\xe4\xbd", "\xf0\x9f", "\U0001f600", "\u0301", "<|end|>"};
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(parts)),
                        [](const std::vector<std::string>& chosen) {
                            std::string text;
                            for (const std::string& part : chosen) text += part;
                            return text;
                        });
}

RC_GTEST_PROP(TokenizerLaws, decoding_gives_the_bytes_back, ()) {
    const auto text = *rc::gen::oneOf(texts(), rc::gen::arbitrary<std::string>());
    RC_ASSERT(toy().decode(toy().encode(text)) == text);
}

RC_GTEST_PROP(TokenizerLaws, any_chunking_gives_the_tokens_of_the_whole, ()) {
    const auto text = *texts();
    const Tokenizer& tokenizer = toy(*rc::gen::elementOf(kPatterns));
    const auto sizes = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 9)));
    const std::string difference = stream_law_broken(tokenizer, text, sizes);
    RC_ASSERT(difference == "");
}

// The textbook algorithm: look for the best pair, merge it, start again.
std::vector<std::string> merge_naively(std::string_view word) {
    std::vector<std::string> symbols;
    for (const char byte : word) symbols.emplace_back(1, byte);
    while (true) {
        std::size_t best_rank = toy_merges().size();
        std::size_t best_at = 0;
        for (std::size_t i = 0; i + 1 < symbols.size(); ++i)
            for (std::size_t rank = 0; rank < best_rank; ++rank)
                if (toy_merges()[rank].left == symbols[i] &&
                    toy_merges()[rank].right == symbols[i + 1]) {
                    best_rank = rank;
                    best_at = i;
                }
        if (best_rank == toy_merges().size()) return symbols;
        symbols[best_at] += symbols[best_at + 1];
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
    }
}

RC_GTEST_PROP(TokenizerLaws, merging_equals_the_textbook_algorithm, ()) {
    const auto word = *rc::gen::nonEmpty(rc::gen::container<std::string>(
        rc::gen::element('a', 'b', 'h', 'e', 'l', 'o', 't', 'w', 'x', 'y', 'z')));
    RC_ASSERT(pieces(toy(), word) == merge_naively(word));
}

TEST(TokenizerLaws, runs_beyond_the_limit_stream_as_they_encode) {
    for (const std::string unit : {"a", " ", "\n", ".", "\u4f60", "\u3000", "\u0301", "7", "\xff"})
        for (const std::size_t around :
             {kPreTokenBytesMax - 8, kPreTokenBytesMax, 2 * kPreTokenBytesMax})
            for (std::size_t extra = 0; extra < 12; ++extra)
                for (const std::string tail : {"", "a", "7", "'s", "\xff", " \u4f60"}) {
                    std::string text;
                    while (text.size() < around + extra) text += unit;
                    for (const std::string& pattern : kPatterns)
                        ASSERT_EQ(stream_law_broken(toy(pattern), text + tail, {1000, 1, 3}), "")
                            << unit << " × " << around + extra << " + " << tail << pattern;
                }
}

TEST(TokenizerLaws, a_megabyte_of_one_character_pushed_byte_by_byte_is_held_back_within_the_bound) {
    for (const char byte : {'a', ' ', '7', '.'}) {
        const std::string text(1 << 20, byte);
        StreamEncoder stream(toy());
        std::size_t token_bytes = 0;
        std::size_t held_max = 0;
        for (const char one : text) {
            for (const TokenId token : stream.push({&one, 1}))
                token_bytes += toy().bytes_of(token).size();
            held_max = std::max(held_max, stream.held_back_bytes());
        }
        EXPECT_LE(held_max, kHeldBackBytesMax);
        for (const TokenId token : stream.finish()) token_bytes += toy().bytes_of(token).size();
        EXPECT_EQ(token_bytes, text.size());
    }
}

TEST(TokenizerLaws, a_contraction_that_arrives_in_parts_is_one_pre_token) {
    for (const std::string text : {"we're", "'re", "x 're.", "'s", "it's", "'rx", "'"})
        EXPECT_EQ(stream_law_broken(toy(), text, {1}), "") << text;
}

TEST(TokenizerLaws, white_space_waits_for_the_line_that_may_end_it) {
    // In Llama 3's and Qwen 2's pattern a pre-token of white space runs to its last line end.
    for (const std::string pattern : {"llama-bpe", "qwen2"})
        for (const std::string text :
             {"\n            \nx", "a \n\t\t\t\t\t\t\t\t\t\t \r\n  b", "\n\n   "})
            EXPECT_EQ(stream_law_broken(toy(pattern), text, {1}), "") << text << pattern;
}

TEST(TokenizerLaws, a_finished_stream_is_as_new) {
    StreamEncoder stream(toy());
    stream.push("hel");
    stream.finish();
    EXPECT_EQ(stream.held_back_bytes(), 0U);
    auto tokens = stream.push("hello the");
    const auto rest = stream.finish();
    tokens.insert(tokens.end(), rest.begin(), rest.end());
    EXPECT_EQ(tokens, toy().encode("hello the"));
}

}  // namespace
}  // namespace mc::lm::test
