// SPDX-License-Identifier: Apache-2.0
#include "lm/tokenizer/tokenizer.h"

#include <gtest/gtest.h>

#include "lm/tokenizer/tokenizer_split.h"
#include "tests/lm/tokenizer/toy_tokenizer.h"

namespace mc::lm::test {
namespace {

using Pieces = std::vector<std::string>;

Pieces split(const std::string& pre, std::string_view text) {
    const auto pattern = SplitPattern::make(pre);
    Splitter splitter(**pattern, text, true);
    Pieces result;
    while (const auto piece = splitter.next()) result.emplace_back(piece->bytes);
    return result;
}

TEST(TokenizerSplit, gpt2_pattern_keeps_digits_together_and_smollm_parts_them) {
    EXPECT_EQ(split("gpt-2", "in 2024, it's"), (Pieces{"in", " 2024", ",", " it", "'s"}));
    EXPECT_EQ(split("smollm", "in 2024, it's"),
              (Pieces{"in", " ", "2", "0", "2", "4", ",", " it", "'s"}));
}

TEST(TokenizerSplit, the_last_space_goes_to_the_word_behind_it) {
    EXPECT_EQ(split("smollm", "a   b"), (Pieces{"a", "  ", " b"}));
    EXPECT_EQ(split("smollm", "a\n\n\tb"), (Pieces{"a", "\n\n", "\t", "b"}));
    EXPECT_EQ(split("smollm", "a   "), (Pieces{"a", "   "}));
}

TEST(TokenizerSplit, a_digit_ends_the_text_for_the_look_ahead_in_smollm_alone) {
    EXPECT_EQ(split("smollm", "a   7"), (Pieces{"a", "   ", "7"}));
    EXPECT_EQ(split("gpt-2", "a   7"), (Pieces{"a", "  ", " 7"}));
}

TEST(TokenizerSplit, white_space_is_unicodes) {
    EXPECT_EQ(split("smollm", "\u00a0\u3000x"), (Pieces{"\u00a0", "\u3000", "x"}));
    EXPECT_EQ(split("smollm", "\u180e\u180ex"),
              (Pieces{"\u180e\u180e", "x"}));  // no space since 6.3
}

TEST(TokenizerSplit, llama3_and_qwen2_patterns_differ_in_digits_alone) {
    EXPECT_EQ(split("llama-bpe", "in 20245, IT'S (so"),
              (Pieces{"in", " ", "202", "45", ",", " IT", "'S", " (", "so"}));
    EXPECT_EQ(split("qwen2", "in 245, it'll"),
              (Pieces{"in", " ", "2", "4", "5", ",", " it", "'ll"}));
    for (const std::string pattern : {"llama-bpe", "qwen2"}) {
        EXPECT_EQ(split(pattern, "a  \n \n  b"), (Pieces{"a", "  \n \n", " ", " b"})) << pattern;
        EXPECT_EQ(split(pattern, "x...\r\n\ty"), (Pieces{"x", "...\r\n", "\ty"})) << pattern;
        EXPECT_EQ(split(pattern, std::string(9000, ' ')).size(), 3U) << pattern;
    }
}

TEST(TokenizerSplit, bytes_that_are_not_utf8_stand_alone_and_end_the_run_before_them) {
    EXPECT_EQ(split("smollm", "ab\xff\xff  \xc0 c"),
              (Pieces{"ab", "\xff", "\xff", "  ", "\xc0", " c"}));
    // Overlong, surrogate, beyond U+10FFFF, cut short.
    EXPECT_EQ(split("smollm", "\xe0\x80\x80").size(), 3U);
    EXPECT_EQ(split("smollm", "\xed\xa0\x80").size(), 3U);
    EXPECT_EQ(split("smollm", "\xf4\x90\x80\x80").size(), 4U);
    EXPECT_EQ(split("smollm", "\xe4\xbd").size(), 2U);
    EXPECT_EQ(split("smollm", "\xf4\x8f\xbf\xbf").size(), 1U);
}

TEST(TokenizerSplit, a_long_run_is_cut_at_a_character_within_the_limit) {
    const std::string run(10000, 'a');
    EXPECT_EQ(split("smollm", run)[0].size(), kPreTokenBytesMax);
    std::string wide;
    for (int i = 0; i < 3000; ++i) wide += "\u4f60";
    const Pieces parts = split("smollm", wide);
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(parts[0].size(), kPreTokenBytesMax - kPreTokenBytesMax % 3);
}

TEST(Tokenizer, pairs_merge_by_rank_then_from_the_left) {
    const auto toy = make_toy_tokenizer();
    EXPECT_EQ(pieces(*toy, "hello"), (Pieces{"hel", "lo"}));  // "l o" ranks before "l l"
    EXPECT_EQ(pieces(*toy, "aaaaa"), (Pieces{"aaaa", "a"}));
    EXPECT_EQ(pieces(*toy, "bab"), (Pieces{"ba", "b"}));
    EXPECT_EQ(pieces(*toy, "abab"), (Pieces{"a", "ba", "b"}));  // "b a" ranks before "a b"
    EXPECT_EQ(pieces(*toy, "the the"), (Pieces{"the", " the"}));
    // "x y" was a candidate before "y z" merged; it must not lend its rank to "x yz".
    EXPECT_EQ(pieces(*toy, "xyzw"), (Pieces{"x", "yzw"}));
}

TEST(Tokenizer, a_byte_without_a_spelling_is_a_byte_token_and_never_merges) {
    const auto toy = make_toy_tokenizer();
    EXPECT_EQ(toy->encode("\x04"), (std::vector<TokenId>{toy->vocabulary_size() + 4}));
    EXPECT_EQ(pieces(*toy, "he\x04he"), (Pieces{"he", "\x04", "he"}));
    EXPECT_EQ(toy->bytes_of(toy->vocabulary_size() + 0xff), "\xff");
    for (const unsigned char byte : kToyMissingBytes) {
        const std::string text(3, static_cast<char>(byte));
        EXPECT_EQ(toy->decode(toy->encode(text)), text);
        EXPECT_EQ(toy->encode(text)[0], toy->vocabulary_size() + byte);
    }
}

TEST(Tokenizer, text_that_spells_a_control_token_is_plain_text) {
    const auto toy = make_toy_tokenizer();
    ASSERT_EQ(toy->find_control("<|end|>"), TokenId{0});
    EXPECT_TRUE(toy->is_control(0));
    EXPECT_EQ(toy->bytes_of(0), "<|end|>");
    EXPECT_FALSE(toy->find_control("the"));
    const std::string text = "a<|end|><|start|> b";
    for (const TokenId token : toy->encode(text)) EXPECT_FALSE(toy->is_control(token));
    EXPECT_EQ(toy->decode(toy->encode(text)), text);
}

TEST(Tokenizer, fields_of_the_file_are_kept) {
    const auto toy = make_toy_tokenizer();
    EXPECT_EQ(toy->bos(), 1);
    EXPECT_EQ(toy->eos(), 0);
    EXPECT_EQ(toy->bytes_of(toy->stand_in_token()), "?");
    EXPECT_EQ(toy->chat_template(), "");
    EXPECT_EQ(toy->hash(), make_toy_tokenizer()->hash());
    EXPECT_NE(toy->hash(), make_toy_tokenizer("gpt-2")->hash());
    EXPECT_TRUE(toy->encode("").empty());
}

std::string refusal(const GgufWriter& writer) {
    const std::string bytes = writer.build();
    const auto file = parse_gguf(bytes);
    if (!file) return file.error().to_string();
    const auto tokenizer = Tokenizer::from_gguf(**file);
    if (tokenizer) return "accepted";
    EXPECT_EQ(tokenizer.error().code(), ErrorCode::kInvalidInput);
    return tokenizer.error().to_string();
}

// A file of three tokens with one thing wrong in it.
GgufWriter tiny(const std::vector<std::string>& tokens, const std::vector<std::int32_t>& types,
                const std::vector<std::string>& merges, std::uint32_t bos = 0) {
    GgufWriter writer;
    writer.with_string("tokenizer.ggml.model", "gpt2")
        .with_string("tokenizer.ggml.pre", "smollm")
        .with_strings("tokenizer.ggml.tokens", tokens)
        .with_ints("tokenizer.ggml.token_type", types)
        .with_strings("tokenizer.ggml.merges", merges)
        .with_uint("tokenizer.ggml.bos_token_id", bos)
        .with_uint("tokenizer.ggml.eos_token_id", 0);
    return writer;
}

TEST(Tokenizer, a_file_that_cannot_be_used_is_refused_with_the_fields_name) {
    const std::string prefix = "test.gguf: ";
    EXPECT_EQ(refusal(GgufWriter()), prefix + "no metadata tokenizer.ggml.model");
    EXPECT_EQ(refusal(GgufWriter().with_string("tokenizer.ggml.model", "llama")),
              prefix + "tokenizer.ggml.model 'llama' is not supported; byte-level BPE ('gpt2') is");
    EXPECT_EQ(refusal(toy_gguf("tekken")), prefix + "tokenizer.ggml.pre 'tekken' is not supported");
    EXPECT_EQ(refusal(tiny({"?", "b"}, {1}, {})),
              prefix + "tokenizer.ggml.token_type has 1 entries, tokenizer.ggml.tokens has 2");
    EXPECT_EQ(refusal(tiny({"?", "b", "b"}, {1, 1, 1}, {})),
              prefix + "tokenizer.ggml.tokens[2] repeats an earlier token");
    EXPECT_EQ(refusal(tiny({"?", "b"}, {1, 1}, {"? b"})),
              prefix + "tokenizer.ggml.merges[0] names a token that the vocabulary lacks");
    EXPECT_EQ(refusal(tiny({"?", "b", "?b"}, {1, 1, 1}, {"? b", "? b"})),
              prefix + "tokenizer.ggml.merges[1] repeats an earlier merge");
    EXPECT_EQ(refusal(tiny({"?", "b"}, {1, 1}, {"?b"})),
              prefix + "tokenizer.ggml.merges[0] is not two tokens with a space between");
    EXPECT_EQ(refusal(tiny({"?", "b"}, {1, 1}, {}, 2)),
              prefix + "tokenizer.ggml.bos_token_id is 2, beyond the vocabulary");
    EXPECT_EQ(refusal(tiny({"a", "b"}, {1, 1}, {})),
              prefix + "tokenizer.ggml.tokens spells neither U+FFFD nor '?'");
    EXPECT_EQ(refusal(tiny({"?", "b"}, {1, 1}, {})), "accepted");
}

}  // namespace
}  // namespace mc::lm::test
