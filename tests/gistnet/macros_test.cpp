// SPDX-License-Identifier: Apache-2.0
// Instructions as gists: descent comes closer to what the whole instruction predicts, and nothing
// else is read in its place.
#include <gtest/gtest.h>

#include "gistnet/base_model_gist_encoder.h"
#include "gistnet/macros/lesson_reading.h"
#include "gistnet/macros/macro_descent.h"
#include "tests/support/tiny_model.h"

namespace mc::gistnet {
namespace {

constexpr std::size_t kInstruction = 50;

class MacroDescentTest : public testing::Test {
  protected:
    MacroDescentTest() {
        encoder_ = std::move(*make_gist_encoder(*model_, {}));
        const auto take = [this](std::size_t count) {
            return lm::test::random_tokens(model_->tokenizer(), count, ++seed_);
        };
        instruction_ = take(kInstruction);
        frame_ = {{model_->tokenizer().bos()}, take(3), take(2)};
        frame_.before_instruction.push_back(take(1)[0]);
        for (const std::size_t size : {7U, 12U, 9U})
            lessons_.push_back({take(size / 2), take(size)});
    }

    std::vector<Gist> start(std::uint32_t count) {
        return *start_of_macro(*encoder_, instruction_, count);
    }

    MacroDescent descend(std::uint32_t steps, std::uint64_t seed = 1, std::uint32_t count = 2) {
        DescentOptions options;
        options.steps = steps;
        options.seed = seed;
        options.measures = true;
        options.lessons_per_step = 2;
        auto found = descend_macro(*model_, frame_, instruction_, lessons_, start(count), options);
        MC_CHECK(found.has_value(), found.error().to_string());
        return std::move(*found);
    }

    double nll_behind(const lm::Segment& instruction) const {
        return mean_nll(*score_lessons(*model_, frame_, instruction, lessons_));
    }

    static lm::Segment shown(const std::vector<Gist>& gists) {
        std::vector<const Gist*> pointers;
        for (const Gist& gist : gists) pointers.push_back(&gist);
        return lm::Segment::of_gists(std::move(pointers));
    }

    static std::vector<std::uint16_t> numbers(const std::vector<Gist>& gists) {
        std::vector<std::uint16_t> all;
        for (const Gist& gist : gists) all.insert(all.end(), gist.kv.begin(), gist.kv.end());
        return all;
    }

    std::uint64_t seed_ = 40;
    std::unique_ptr<lm::BaseModel> model_ = lm::test::make_tiny_model();
    std::unique_ptr<GistEncoder> encoder_;
    std::vector<TokenId> instruction_;
    lm::TurnFrame frame_;
    std::vector<Lesson> lessons_;
};

TEST_F(MacroDescentTest, StepsLessenTheDivergence) {
    const MacroDescent none = descend(0);
    EXPECT_GT(none.divergence_before, 0);
    EXPECT_EQ(none.divergence_before, none.divergence_after);
    EXPECT_LT(descend(2).divergence_after, none.divergence_before);
    EXPECT_LT(descend(40).divergence_after, .9 * none.divergence_before);
}

TEST_F(MacroDescentTest, TheDivergenceIsThatOfWhatTheModelReads) {
    // The pass that descent goes through agrees with the model's own reading of gists: the KL of a
    // lesson is what the model's scores say where the teacher is certain enough to be compared.
    const auto gists = start(2);
    std::vector<lm::TeacherPrediction> teachers;
    for (const Lesson& lesson : lessons_)
        teachers.push_back(teach(model_->torch_model(), frame_, instruction_, lesson));
    const auto full =
        *score_lessons(*model_, frame_, lm::Segment::of_tokens(instruction_), lessons_);
    for (std::size_t i = 0; i < lessons_.size(); ++i) {
        ASSERT_EQ(teachers[i].nll.size(0), static_cast<std::int64_t>(full[i].size()));
        for (std::size_t t = 0; t < full[i].size(); ++t)
            EXPECT_NEAR(teachers[i].nll[static_cast<std::int64_t>(t)].item<float>(), full[i][t],
                        1e-3F);
    }
    const std::vector<std::size_t> chosen = {2, 0};
    const LessonBatch batch =
        make_lesson_batch(model_->torch_model(), frame_, lessons_, teachers, chosen, 2);
    EXPECT_EQ(batch.layout.placed_columns, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(batch.scored.size(0), 9 + 7);
    EXPECT_EQ(batch.inputs.size(0), 2);
    EXPECT_NE(nll_behind(shown(gists)), nll_behind(lm::Segment::of_tokens(instruction_)));
}

TEST_F(MacroDescentTest, GistsTakeTheInstructionsPlaceAndNothingMore) {
    const auto gists = descend(4).gists;
    const auto prompt = prompt_behind(frame_, shown(gists), lessons_[0].message);
    const auto sequence = model_->new_sequence();
    ASSERT_TRUE(sequence->append(prompt));
    EXPECT_EQ(sequence->length(), frame_.before_instruction.size() + 2 +
                                      frame_.before_message.size() + lessons_[0].message.size() +
                                      frame_.after_message.size());
    const auto nothing = prompt_behind(frame_, {}, lessons_[0].message);
    ASSERT_EQ(nothing.size(), 2U);
    EXPECT_EQ(nothing[0].tokens, frame_.before_instruction);
}

TEST_F(MacroDescentTest, AnInstructionsOwnGistsStandForItBetterThanAnothers) {
    const double own = descend(60).divergence_after;
    const auto other = lm::test::random_tokens(model_->tokenizer(), kInstruction, 99);
    DescentOptions options;
    options.measures = true;
    options.steps = 60;
    const auto foreign = descend_macro(*model_, frame_, other, lessons_,
                                       *start_of_macro(*encoder_, other, 2), options);
    options.steps = 0;
    const auto misread =
        descend_macro(*model_, frame_, instruction_, lessons_, foreign->gists, options);
    EXPECT_LT(own, .95 * misread->divergence_before);
}

TEST_F(MacroDescentTest, SameSeedSameBits) {
    const auto one = descend(6);
    EXPECT_EQ(numbers(one.gists), numbers(descend(6).gists));
    EXPECT_NE(numbers(one.gists), numbers(descend(6, 2).gists));
    EXPECT_NE(numbers(one.gists), numbers(start(2)));
}

TEST_F(MacroDescentTest, TheStartHasAsManyGistsAsAreAskedFor) {
    EXPECT_EQ(whole_blocks(kInstruction), 2U);
    for (const std::uint32_t count : {1U, 2U, 3U, 8U}) EXPECT_EQ(start(count).size(), count);
    // Two joined are their mean.
    const auto two = start(2);
    const auto one = start(1);
    EXPECT_NE(numbers(one), numbers({two[0]}));
    EXPECT_NE(numbers(one), numbers({two[1]}));
    EXPECT_EQ(
        numbers(*start_of_macro(*encoder_, std::vector<TokenId>(32, instruction_[0]), 1)),
        numbers(
            {start_of_macro(*encoder_, std::vector<TokenId>(32, instruction_[0]), 2)->front()}));
}

TEST_F(MacroDescentTest, TheModelStaysAsItWas) {
    const Hash128 before = lm::hash_of_weights(model_->torch_model());
    descend(3);
    EXPECT_EQ(lm::hash_of_weights(model_->torch_model()), before);
}

TEST_F(MacroDescentTest, LessonsFollowFromTheSeed) {
    LessonOptions options;
    options.count = 4;
    options.answer_tokens_max = 6;
    const auto lessons = write_lessons(*model_, frame_, instruction_, options);
    ASSERT_TRUE(lessons) << lessons.error().to_string();
    ASSERT_FALSE(lessons->empty());
    const auto again = write_lessons(*model_, frame_, instruction_, options);
    options.seed = 2;
    const auto other = write_lessons(*model_, frame_, instruction_, options);
    ASSERT_EQ(again->size(), lessons->size());
    for (std::size_t i = 0; i < lessons->size(); ++i) {
        EXPECT_EQ((*lessons)[i].message, (*again)[i].message);
        EXPECT_EQ((*lessons)[i].answer, (*again)[i].answer);
        EXPECT_FALSE((*lessons)[i].answer.empty());
        EXPECT_LE((*lessons)[i].answer.size(), 7U);
    }
    EXPECT_NE((*other)[0].message, (*lessons)[0].message);
}

TEST_F(MacroDescentTest, CtrlCEndsIt) {
    const std::atomic<bool> cancelled = true;
    DescentOptions options;
    options.cancelled = &cancelled;
    const auto found = descend_macro(*model_, frame_, instruction_, lessons_, start(1), options);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace mc::gistnet
