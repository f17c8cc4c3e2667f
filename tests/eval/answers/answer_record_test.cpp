// SPDX-License-Identifier: Apache-2.0
// Laws of scoring one reading, and of the log's lines.
#include "eval/answers/answer_record.h"

#include <gtest/gtest.h>

namespace mc::eval {
namespace {

AnswerRecord record() {
    AnswerRecord out;
    out.family = "single-fact";
    out.task = "home";
    out.length = 4000;
    out.item = 3;
    out.row = "window:hybrid:128";
    out.nll = {4.5, 1.25, 2};
    out.right = 1;
    out.written = "In \"Oslo\".\n";
    out.exact = true;
    out.entries = 131;
    out.looked = true;
    out.held_at_5 = true;
    out.search_ms = 1.5;
    out.prompt_ms = 20;
    out.first_token_ms = 31;
    return out;
}

TEST(AnswerRecord, TheMarginIsToTheBestWrongCandidate) {
    AnswerRecord one = record();
    EXPECT_DOUBLE_EQ(one.margin(), 0.75);
    EXPECT_TRUE(one.is_right());
    one.right = 2;
    EXPECT_DOUBLE_EQ(one.margin(), -0.75);
    EXPECT_FALSE(one.is_right());
    one.nll = {2, 1.5, 1.5};  // a tie is no answer
    EXPECT_FALSE(one.is_right());
}

TEST(AnswerRecord, ALineGivesBackWhatItWasMadeOf) {
    const auto back = parse_answer_record(to_line(record()));
    ASSERT_TRUE(back) << back.error().to_string();
    EXPECT_EQ(to_line(*back), to_line(record()));
    EXPECT_EQ(back->written, record().written);
    EXPECT_EQ(back->nll, record().nll);
    EXPECT_TRUE(back->looked && back->held_at_5 && !back->held_at_1);
    AnswerRecord unread = record();
    unread.fits = false;
    EXPECT_FALSE(parse_answer_record(to_line(unread))->fits);
}

TEST(AnswerRecord, ADamagedLineIsCorruption) {
    for (const std::string bad : {"", "{}", "[]", R"({"family":1})", "{\"family\":\"a\"}"}) {
        const auto parsed = parse_answer_record(bad);
        ASSERT_FALSE(parsed) << bad;
        EXPECT_EQ(parsed.error().code(), ErrorCode::kCorruption);
    }
    AnswerRecord lost = record();
    lost.right = 3;
    EXPECT_EQ(parse_answer_record(to_line(lost)).error().code(), ErrorCode::kCorruption);
}

TEST(HoldsText, WholeWordsInAnyCase) {
    EXPECT_TRUE(holds_text("He drinks GIN.", "gin"));
    EXPECT_FALSE(holds_text("At the beginning", "gin"));
    EXPECT_TRUE(holds_text("imaginary gin", "gin"));
    EXPECT_TRUE(holds_text("code: 51273", "51273"));
    EXPECT_FALSE(holds_text("code: 512730", "51273"));
    EXPECT_FALSE(holds_text("", "gin"));
}

TEST(HoldFacts, NeighboursHoldAValueTogetherAndEveryFactMustBeHeld) {
    const std::vector<FoundSpan> found{{0, {32, 64}}, {0, {64, 96}}, {1, {0, 32}}};
    const PlacedFact across{0, {58, 70}, {62, 66}};
    const PlacedFact elsewhere{1, {4, 12}, {8, 9}};
    EXPECT_FALSE(hold_facts(found, 1, std::vector{across}));
    EXPECT_TRUE(hold_facts(found, 2, std::vector{across}));
    EXPECT_FALSE(hold_facts(found, 2, std::vector{across, elsewhere}));
    EXPECT_TRUE(hold_facts(found, 5, std::vector{across, elsewhere}));
    const PlacedFact other_document{1, {36, 40}, {38, 39}};
    EXPECT_FALSE(hold_facts(found, 5, std::vector{other_document}));
}

}  // namespace
}  // namespace mc::eval
