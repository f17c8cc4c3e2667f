// SPDX-License-Identifier: Apache-2.0
#include "lm/generate.h"

#include <gtest/gtest.h>

#include "core/utf8.h"
#include "lm/chat_prompt.h"
#include "tests/support/tiny_model.h"

namespace mc::lm::test {
namespace {

std::unique_ptr<Sequence> started(const BaseModel& model) {
    auto sequence = model.new_sequence();
    const std::vector<Segment> start = {Segment::of_tokens(random_tokens(model.tokenizer(), 5, 1))};
    EXPECT_TRUE(sequence->append(start));
    return sequence;
}

TEST(ChooseToken, temperature_zero_takes_the_likeliest) {
    Rng rng(1);
    const std::vector<float> logits = {0.5F, 3.0F, 2.9F, -1.0F};
    for (int i = 0; i < 20; ++i) EXPECT_EQ(choose_token(logits, {}, rng), 1);
}

TEST(ChooseToken, top_p_never_leaves_the_likeliest_set) {
    Rng rng(2);
    GenerateOptions options;
    options.temperature = 1.0F;
    options.top_p = 0.9F;
    const std::vector<float> logits = {4.0F, 0.0F, 3.5F, 0.1F};  // 0 and 2 hold 0.96
    for (int i = 0; i < 500; ++i) {
        const TokenId token = choose_token(logits, options, rng);
        EXPECT_TRUE(token == 0 || token == 2);
    }
}

TEST(ChooseToken, frequencies_follow_the_softmax) {
    Rng rng(3);
    GenerateOptions options;
    options.temperature = 2.0F;
    const std::vector<float> logits = {0.0F, 2.0F * std::log(3.0F)};  // 1 : 3 at temperature 2
    int second = 0;
    for (int i = 0; i < 4000; ++i) second += choose_token(logits, options, rng);
    EXPECT_NEAR(second, 3000, 140);  // five standard deviations
}

TEST(PenaliseRepetition, lowers_each_written_token_once_and_no_other) {
    std::vector<float> logits = {2.4F, -1.0F, 3.0F, 0.5F};
    const std::vector<TokenId> written = {0, 1, 0, 900};  // 900: a byte token, which has no logit
    penalise_repetition(logits, written, 1.2F);
    EXPECT_FLOAT_EQ(logits[0], 2.0F);
    EXPECT_FLOAT_EQ(logits[1], -1.2F);
    EXPECT_FLOAT_EQ(logits[2], 3.0F);
    EXPECT_FLOAT_EQ(logits[3], 0.5F);
}

TEST(Generate, same_seed_same_text_and_every_token_is_in_the_sequence) {
    const auto model = make_tiny_model();
    GenerateOptions options;
    options.temperature = 1.5F;
    options.tokens_max = 30;
    options.seed = 7;
    const auto sequence = started(*model);
    const Generated first = generate(*model, *sequence, options).value();
    EXPECT_EQ(sequence->length(), 5 + first.tokens.size());
    EXPECT_EQ(first.text, model->tokenizer().decode(first.tokens));
    const Generated again = generate(*model, *started(*model), options).value();
    EXPECT_EQ(first.tokens, again.tokens);
    options.seed = 8;
    EXPECT_NE(first.tokens, generate(*model, *started(*model), options).value().tokens);
}

TEST(Generate, the_callback_gets_the_whole_text_in_whole_characters) {
    const auto model = make_tiny_model();
    bool some_text_was_valid = false;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        GenerateOptions options;
        options.temperature = 3.0F;  // near uniform over bytes: many broken characters
        options.tokens_max = 40;
        options.seed = seed;
        std::string received;
        std::vector<std::string> pieces_received;
        const Generated made = generate(*model, *started(*model), options, [&](std::string_view t) {
                                   received += t;
                                   pieces_received.emplace_back(t);
                                   return true;
                               }).value();
        EXPECT_EQ(received, made.text);
        // No cut falls inside a well-formed character.
        std::size_t cut = 0;
        for (const std::string& piece : pieces_received) {
            for (std::size_t back = 1; back <= std::min<std::size_t>(3, cut); ++back)
                EXPECT_LE(utf8_character_size(std::string_view(received).substr(cut - back)), back);
            cut += piece.size();
            some_text_was_valid |= piece.size() > 1 && !find_invalid_utf8(piece);
        }
    }
    EXPECT_TRUE(some_text_was_valid);
}

TEST(Generate, stops_when_the_callback_says_so_or_the_context_is_full) {
    TinyShape shape;
    shape.context_length = 12;
    const auto model = make_tiny_model(shape);
    int calls = 0;
    const auto stop = [&](std::string_view) { return ++calls < 2; };
    const Generated stopped = generate(*model, *started(*model), {}, stop).value();
    EXPECT_EQ(stopped.reason, StopReason::kStopped);
    EXPECT_EQ(calls, 2);
    const auto sequence = started(*model);
    GenerateOptions options;
    options.temperature = 3.0F;  // so flat that it seldom ends by itself, and not with this seed
    options.seed = 1;
    const Generated full = generate(*model, *sequence, options).value();
    EXPECT_EQ(full.reason, StopReason::kContextFull);
    EXPECT_EQ(sequence->length(), 12U);
}

TEST(ChatPrompt, a_model_without_chatml_gets_a_plain_form) {
    const auto tokenizer = make_toy_tokenizer();
    const ChatPrompt prompt = make_chat_prompt(*tokenizer, "who?");
    EXPECT_EQ(prompt.before_text, std::vector<TokenId>{tokenizer->bos()});
    EXPECT_EQ(tokenizer->decode(prompt.after_text), "\n\nQuestion: who?\nAnswer:");
}

}  // namespace
}  // namespace mc::lm::test
