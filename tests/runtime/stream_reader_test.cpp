// SPDX-License-Identifier: Apache-2.0
// Laws of a stream's window, on a tiny random model with untrained gists.
#include "runtime/stream/stream_reader.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/span_math.h"
#include "gistnet/base_model_gist_encoder.h"
#include "tests/support/tiny_model.h"
#include "tree/read_window.h"

namespace mc::runtime {
namespace {

constexpr std::uint64_t kBudget = 192;
constexpr GistFloors kFloors{16, 4};

lm::test::TinyShape long_shape() {
    lm::test::TinyShape shape;
    shape.context_length = 2048;
    return shape;
}

class Stream : public testing::Test {
  protected:
    std::vector<TokenId> tokens(std::size_t count) const {
        return lm::test::random_tokens(model_->tokenizer(), count, 7);
    }

    std::unique_ptr<StreamReader> reader(bool with_gists, std::uint64_t budget = kBudget) {
        auto made =
            StreamReader::make(*model_, with_gists ? encoder_.get() : nullptr, budget, kFloors);
        EXPECT_TRUE(made) << made.error().to_string();
        return std::move(*made);
    }

    static std::vector<float> read(StreamReader& reader, std::span<const TokenId> tokens) {
        auto nll = reader.read(tokens);
        EXPECT_TRUE(nll) << nll.error().to_string();
        return std::move(*nll);
    }

    // The entries that a window of these parts has, read at once.
    std::vector<float> score(std::vector<lm::Segment> context, std::span<const TokenId> scored) {
        const auto sequence = model_->new_sequence();
        context.insert(context.begin(), lm::Segment::of_tokens({model_->tokenizer().bos()}));
        EXPECT_TRUE(sequence->append(context));
        return *sequence->score(scored);
    }

    std::unique_ptr<lm::BaseModel> model_ = lm::test::make_tiny_model(long_shape());
    std::unique_ptr<GistEncoder> encoder_ =
        gistnet::make_gist_encoder(*model_, {"kv-last", 0, "none"}).value();
};

void expect_near(std::span<const float> a, std::span<const float> b, float tolerance) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << "token " << i;
}

TEST_F(Stream, a_text_that_fits_is_read_as_it_is) {
    const auto text = tokens(150);
    const auto stream = reader(true);
    expect_near(read(*stream, text), score({}, text), 1e-4F);
    EXPECT_EQ(stream->counts().raw, 150U);
    EXPECT_EQ(stream->counts().edits, 0U);
}

TEST_F(Stream, every_token_is_raw_in_a_gist_or_left_out_and_the_budget_holds) {
    const auto text = tokens(12'000);
    for (const bool with_gists : {true, false}) {
        const auto stream = reader(with_gists);
        for (std::size_t begin = 0; begin < text.size(); begin += 100) {
            for (const float nll : read(*stream, std::span(text).subspan(begin, 100)))
                ASSERT_TRUE(std::isfinite(nll));
            const StreamCounts& counts = stream->counts();
            ASSERT_LE(counts.entries(), kBudget);
            ASSERT_EQ(counts.raw + 32 * counts.gists[0] + 1024 * counts.gists[1] + counts.left_out,
                      counts.tokens);
        }
        const StreamCounts& counts = stream->counts();
        EXPECT_LE(counts.entries_max, kBudget);
        EXPECT_GE(counts.gists[0], with_gists ? kFloors[0] : 0);
        EXPECT_EQ(counts.gists[1], with_gists ? kFloors[1] : 0);
        EXPECT_GT(counts.left_out, 0U);
    }
}

TEST_F(Stream, any_cut_into_calls_gives_the_same_numbers) {
    const auto text = tokens(2'000);
    const auto at_once = read(*reader(true), text);
    for (const std::size_t step : {1U, 31U, 45U, 700U}) {
        const auto stream = reader(true);
        std::vector<float> nll;
        for (std::size_t begin = 0; begin < text.size(); begin += step) {
            const auto rest = std::span(text).subspan(begin);
            const auto some = read(*stream, rest.first(std::min<std::size_t>(step, rest.size())));
            nll.insert(nll.end(), some.begin(), some.end());
        }
        expect_near(nll, at_once, 2e-3F);
    }
}

// What a window of gists alone and one raw block says is exact: gists take nothing from others, and
// the raw block was read behind what it still stands behind.
TEST_F(Stream, old_text_stands_there_as_the_gists_of_an_ingest) {
    const auto text = tokens(256 + 64);
    const auto stream = reader(true, 192);
    // 1 + 160 raw, then each further block takes the oldest one's place.
    const auto before = read(*stream, std::span(text).first(256));
    ASSERT_EQ(stream->counts().gists[0], 3U);
    const auto windows = read_windows(std::span(text).first(256), {0, 256});
    const auto gists = encoder_->encode_windows(windows, false);
    ASSERT_TRUE(gists);
    std::vector<const Gist*> shown;
    for (std::size_t i = 0; i < 3; ++i) shown.push_back(&gists->front()[i]);
    // The same edits by hand.
    const auto by_hand = model_->new_sequence();
    const std::vector<lm::Segment> start = {
        lm::Segment::of_tokens({model_->tokenizer().bos()}),
        lm::Segment::of_tokens({text.begin(), text.begin() + 160})};
    ASSERT_TRUE(by_hand->append(start));
    for (std::uint32_t i = 0; i < 3; ++i) {
        const lm::Segment gist = lm::Segment::of_gists({shown[i]});
        ASSERT_TRUE(by_hand->splice(1 + i, 1 + i + 32, std::span(&gist, 1)));
        const auto next = by_hand->score(std::span(text).subspan(160 + 32 * i, 32));
        ASSERT_TRUE(next);
        expect_near(std::span(before).subspan(160 + 32 * i, 32), *next, 2e-3F);
    }
}

TEST_F(Stream, a_sliding_window_forgets_what_gists_still_say) {
    const auto text = tokens(3'000);
    const auto with = read(*reader(true), text);
    const auto without = read(*reader(false), text);
    double difference = 0;
    for (std::size_t i = 300; i < text.size(); ++i) difference += std::abs(with[i] - without[i]);
    EXPECT_GT(difference / static_cast<double>(text.size()), 1e-3);
}

TEST_F(Stream, a_budget_that_cannot_be_is_refused_with_what_can) {
    for (const std::uint64_t budget : {0U, 127U, 2049U}) {
        const auto made = StreamReader::make(*model_, encoder_.get(), budget);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code(), ErrorCode::kOverBudget);
        EXPECT_NE(made.error().to_string().find("128 to 2048"), std::string::npos);
    }
}

}  // namespace
}  // namespace mc::runtime
