// SPDX-License-Identifier: Apache-2.0
// The suite `macro`: its texts, its scores, what its table says of known readings.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "eval/macros/macro_items.h"
#include "eval/macros/macro_report.h"
#include "eval/macros/prompt_cost.h"
#include "eval/macros/rouge.h"

namespace mc::eval {
namespace {

TEST(Rouge, KnownTexts) {
    EXPECT_DOUBLE_EQ(rouge_l("The cat sat.", "the CAT, sat"), 1);
    EXPECT_DOUBLE_EQ(rouge_l("", "a b"), 0);
    EXPECT_DOUBLE_EQ(rouge_l("a b", "c d"), 0);
    // Three of four and of five words, in order.
    EXPECT_DOUBLE_EQ(rouge_l("a x b c", "a b y c z"), 2 * 3.0 / 9);
    // Words in another order count once.
    EXPECT_DOUBLE_EQ(rouge_l("b a", "a b"), .5);
}

TEST(PromptCost, CountsWhatGoesThroughTheModel) {
    lm::ModelConfig config;
    config.layer_count = 2;
    config.hidden_dim = 4;
    config.head_count = 2;
    config.kv_head_count = 1;
    config.head_dim = 2;
    config.ffn_dim = 8;
    config.vocabulary_size = 10;
    const double weights = 4 * (4 + 4) + 4 * 4 + 3 * 4 * 8;
    const double head = 2 * 4 * 10;
    // Three tokens that see 1, 2 and 3 entries.
    EXPECT_DOUBLE_EQ(prompt_flops(config, {0, 3, 0, 0}),
                     2 * (2 * weights * 3 + 4 * 4 * (1 + 2 + 3)) + head);
    // Cut in two, the same.
    EXPECT_DOUBLE_EQ(prompt_flops(config, {0, 1, 0, 2}), prompt_flops(config, {0, 3, 0, 0}));
    // A gist is seen and not computed.
    EXPECT_DOUBLE_EQ(prompt_flops(config, {0, 1, 5, 1}),
                     2 * (2 * weights * 2 + 4 * 4 * (1 + 7)) + head);
    EXPECT_DOUBLE_EQ(prompt_flops(config, {6, 0, 0, 1}), prompt_flops(config, {0, 0, 6, 1}));
    EXPECT_EQ(kv_bytes(config, 3), 3U * 2 * 2 * 1 * 2 * 2);
}

std::set<std::string> sentences_of(std::string_view set) {
    std::set<std::string> sentences;
    for (const MacroInstruction& one : macro_instructions(set, kMacroInstructionsMax, 4, 1)) {
        std::string_view rest = one.text;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find(". "), rest.size());
            sentences.emplace(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 2, rest.size()));
        }
    }
    return sentences;
}

TEST(MacroItems, NoSentenceIsInTwoSets) {
    const auto seen = sentences_of("seen");
    EXPECT_GT(seen.size(), 20U);
    for (const std::string_view set : {"unseen", "human"})
        for (const std::string& sentence : sentences_of(set))
            EXPECT_FALSE(seen.contains(sentence)) << sentence;
}

TEST(MacroItems, FollowFromTheSeedAndStayWhenMoreAreAskedFor) {
    const auto two = macro_instructions("unseen", 2, 3, 5);
    const auto three = macro_instructions("unseen", 3, 3, 5);
    ASSERT_EQ(two.size(), 2U);
    EXPECT_EQ(two[1].text, three[1].text);
    EXPECT_EQ(two[1].messages, three[1].messages);
    EXPECT_NE(two[0].text, macro_instructions("unseen", 2, 3, 6)[0].text);
    EXPECT_EQ(std::set(two[0].messages.begin(), two[0].messages.end()).size(), 3U);
}

MacroReading reading_of(std::size_t instruction, double none, double full, double macro) {
    MacroReading reading{"seen", instruction, 80, "m", 10, {}};
    for (const auto& [row, nll] :
         {std::pair("full", full), std::pair("none", none), std::pair("macro-4", macro)})
        reading.rows.push_back({row,
                                row == std::string("full")   ? 80U
                                : row == std::string("none") ? 0U
                                                             : 4U,
                                nll, .5, 20, 1, 100, "text"});
    return reading;
}

TEST(MacroReport, TheGainKeptIsASumOfNatsNotAMeanOfShares) {
    std::vector<MacroReading> readings;
    for (std::size_t i = 0; i < 5; ++i) {
        readings.push_back(reading_of(i, 3, 1, 1.5));    // keeps 1.5 of 2 nats
        readings.push_back(reading_of(i, 1.2, 1, 1.2));  // keeps nothing of .2
    }
    const auto cells = measure_macros(readings, 1);
    ASSERT_EQ(cells.size(), 3U);  // one set: no row for all of them
    const auto macro = std::ranges::find(cells, "macro-4", &MacroCell::row);
    ASSERT_NE(macro, cells.end());
    EXPECT_NEAR(macro->gain_kept.value, 1.5 / 2.2, 1e-9);
    EXPECT_NEAR(macro->gain_kept.low, 1.5 / 2.2, 1e-9);  // instructions are all alike
    EXPECT_LT(macro->gain_kept.within.low, 1.5 / 2.2 - .05);
    EXPECT_DOUBLE_EQ(macro->tokens_per_entry, 20);
    EXPECT_EQ(macro->readings, 10U);
    EXPECT_NEAR(cells[0].gain_kept.value, 1, 1e-9);
    EXPECT_NEAR(cells[1].gain_kept.value, 0, 1e-9);
}

TEST(MacroReport, AReadingIsALine) {
    const MacroReading reading = reading_of(3, 3, 1, 1.5);
    const auto parsed = parse_macro_reading(to_line(reading));
    ASSERT_TRUE(parsed) << parsed.error().to_string();
    EXPECT_EQ(to_line(*parsed), to_line(reading));
    EXPECT_EQ(parsed->rows[2].row, "macro-4");
    EXPECT_FALSE(parse_macro_reading("{\"set\":\"seen\"}"));
    EXPECT_FALSE(parse_macro_reading("no json"));
}

}  // namespace
}  // namespace mc::eval
