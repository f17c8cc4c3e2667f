// SPDX-License-Identifier: Apache-2.0
// Laws of the encoder on the base model, with a tiny random model in f32.
#include <gtest/gtest.h>

#include <cmath>

#include "core/span_math.h"
#include "gistnet/base_model_gist_encoder.h"
#include "gistnet/index/index_reader.h"
#include "tests/support/tiny_model.h"

namespace mc::gistnet::test {
namespace {

// Value of a binary16 number's bits; subnormals and specials do not occur here beyond zero.
double half_value(std::uint16_t bits) {
    const int exponent = (bits >> 10) & 0x1f;
    const double fraction = bits & 0x3ff;
    const double magnitude =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

// Equal within one rounding of binary16 on top of f32 noise.
void expect_same_gist(const Gist& a, const Gist& b) {
    ASSERT_EQ(a.kv.size(), b.kv.size());
    for (std::size_t i = 0; i < a.kv.size(); ++i) {
        const double x = half_value(a.kv[i]);
        ASSERT_NEAR(x, half_value(b.kv[i]), 1.1e-3 * std::abs(x) + 1e-4) << "at " << i;
    }
    ASSERT_EQ(a.index_vector.size(), b.index_vector.size());
    for (std::size_t i = 0; i < a.index_vector.size(); ++i)
        ASSERT_NEAR(a.index_vector[i], b.index_vector[i], 1e-4F) << "at " << i;
}

double inner_product(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i] * b[i]);
    return sum;
}

class TinyEncoder : public testing::Test {
  protected:
    std::vector<TokenId> tokens(std::size_t count, std::uint64_t seed = 3) const {
        return lm::test::random_tokens(model_->tokenizer(), count, seed);
    }

    std::vector<std::vector<Gist>> encode(const std::vector<ReadWindow>& windows,
                                          bool with_statistics = false) {
        auto made = encoder_->encode_windows(windows, with_statistics);
        EXPECT_TRUE(made) << made.error().to_string();
        return std::move(*made);
    }

    std::unique_ptr<lm::BaseModel> model_ = lm::test::make_tiny_model();
    std::unique_ptr<GistEncoder> encoder_ = make_gist_encoder(*model_, {}).value();
};

TEST_F(TinyEncoder, a_window_cut_short_gives_the_same_gists_for_what_is_left) {
    const std::vector<TokenId> read = tokens(40 + 5 * 32);
    const auto whole = encode({{read, 40}});
    for (std::size_t blocks = 1; blocks < 5; ++blocks) {
        const auto part = encode({{{read.begin(), read.begin() + 40 + blocks * 32}, 40}});
        ASSERT_EQ(part[0].size(), blocks);
        for (std::size_t i = 0; i < blocks; ++i) expect_same_gist(part[0][i], whole[0][i]);
    }
}

// Three documents take turns, which is one more than have their readings kept; then one goes on
// from another past, as after a forget.
TEST_F(TinyEncoder, blocks_that_arrive_one_by_one_have_the_gists_of_those_that_came_at_once) {
    std::vector<std::vector<TokenId>> texts = {tokens(6 * 32, 3), tokens(6 * 32, 4),
                                               tokens(6 * 32, 5)};
    std::vector<std::vector<std::vector<Gist>>> whole;
    for (const auto& text : texts)
        whole.push_back(make_gist_encoder(*model_, {})
                            .value()
                            ->encode_windows(std::vector<ReadWindow>{{text, 0}}, false)
                            .value());
    for (std::uint32_t block = 0; block < 6; ++block) {
        for (std::size_t d = 0; d < texts.size(); ++d) {
            if (d == 2 && block % 2 == 0) continue;  // two blocks at a time
            const std::uint32_t before = (d == 2 ? block - 1 : block) * 32;
            const auto end = texts[d].begin() + (block + 1) * 32;
            const auto made = encode({{{texts[d].begin(), end}, before}});
            expect_same_gist(made[0].back(), whole[d][0][block]);
        }
    }
    std::vector<TokenId> retold = tokens(7 * 32, 99);
    std::copy_n(texts[1].begin(), 2 * 32, retold.begin());
    const auto made = encode({{retold, 6 * 32}});
    const auto alone = make_gist_encoder(*model_, {})
                           .value()
                           ->encode_windows(std::vector<ReadWindow>{{retold, 6 * 32}}, true)
                           .value();
    expect_same_gist(made[0][0], alone[0][0]);
}

TEST_F(TinyEncoder, a_gist_does_not_change_when_later_tokens_change_and_does_when_earlier_ones_do) {
    std::vector<TokenId> read = tokens(4 * 32);
    const auto before = encode({{read, 0}});
    const std::vector<TokenId> other = tokens(32, 99);
    std::copy(other.begin(), other.end(), read.begin() + 2 * 32);
    const auto after = encode({{read, 0}});
    for (std::size_t i = 0; i < 2; ++i) expect_same_gist(before[0][i], after[0][i]);
    EXPECT_LT(inner_product(before[0][2].index_vector, after[0][2].index_vector), 0.999);
    EXPECT_NE(before[0][3].kv, after[0][3].kv);
}

TEST_F(TinyEncoder, windows_in_a_batch_give_the_gists_of_one_at_a_time) {
    std::vector<ReadWindow> windows;
    for (std::uint64_t i = 0; i < 7; ++i)
        windows.push_back({tokens(i % 2 == 0 ? 96 : 64, i), i % 3 == 0 ? 32U : 0U});
    const auto together = encode(windows);
    const auto few = make_gist_encoder(*model_, {"kv-last", 2}).value();
    const auto in_twos = few->encode_windows(windows, false).value();
    for (std::size_t i = 0; i < windows.size(); ++i) {
        const auto alone = encode({windows[i]});
        ASSERT_EQ(together[i].size(), alone[0].size());
        for (std::size_t k = 0; k < alone[0].size(); ++k) {
            expect_same_gist(together[i][k], alone[0][k]);
            expect_same_gist(in_twos[i][k], alone[0][k]);
        }
    }
}

TEST_F(TinyEncoder, statistics_are_the_models_own_scores_averaged_by_block) {
    const std::vector<TokenId> read = tokens(10 + 64);
    const auto made = encode({{read, 10}}, true);
    const auto sequence = model_->new_sequence();
    const std::vector<lm::Segment> bos = {lm::Segment::of_tokens({model_->tokenizer().bos()})};
    ASSERT_TRUE(sequence->append(bos));
    const std::vector<float> nll = sequence->score(read).value();
    for (std::size_t block = 0; block < 2; ++block) {
        double nll_sum = 0;
        double entropy_sum = 0;
        for (std::size_t i = 10 + block * 32; i < 10 + (block + 1) * 32; ++i)
            nll_sum += static_cast<double>(nll[i]);
        const auto again = model_->new_sequence();
        ASSERT_TRUE(again->append(bos));
        for (std::size_t i = 0; i < 10 + (block + 1) * 32; ++i) {
            if (i >= 10 + block * 32) {
                const std::vector<float> logits = again->next_logits().value();
                double sum = 0;
                double weighted = 0;
                for (const float x : logits) {
                    sum += std::exp(static_cast<double>(x));
                    weighted += std::exp(static_cast<double>(x)) * static_cast<double>(x);
                }
                entropy_sum += std::log(sum) - weighted / sum;
            }
            const std::vector<lm::Segment> next = {lm::Segment::of_tokens({read[i]})};
            ASSERT_TRUE(again->append(next));
        }
        EXPECT_NEAR(made[0][block].statistics.mean_nll, nll_sum / 32, 1e-4);
        EXPECT_NEAR(made[0][block].statistics.mean_entropy, entropy_sum / 32, 1e-4);
    }
    EXPECT_TRUE(std::isnan(encode({{read, 10}})[0][0].statistics.mean_nll));
}

TEST_F(TinyEncoder, a_question_that_is_a_block_has_the_blocks_index_vector) {
    const std::vector<std::vector<TokenId>> questions = {tokens(32)};
    const auto made = encode({{questions[0], 0}});
    const auto reader = IndexReader::make(*model_, {"mean"}).value();
    const std::vector<float> vector = reader->read_texts(questions).value()[0];
    EXPECT_NEAR(inner_product(vector, vector), 1.0, 1e-5);
    EXPECT_NEAR(inner_product(vector, made[0][0].index_vector), 1.0, 1e-5);
}

TEST_F(TinyEncoder, a_parents_index_vector_and_statistics_are_the_mean_of_its_childrens) {
    std::vector<Gist> children;
    for (auto& window :
         encode({{tokens(13 * 32, 1), 0}, {tokens(13 * 32, 2), 0}, {tokens(6 * 32, 3), 0}}, true))
        for (Gist& gist : window) children.push_back(std::move(gist));
    ASSERT_EQ(children.size(), 32U);
    const std::vector<SiblingGists> families = {children, children};
    const std::vector<Gist> parents = encoder_->encode_parents(families).value();
    ASSERT_EQ(parents.size(), 2U);
    expect_same_gist(parents[0], parents[1]);
    std::vector<float> mean(children[0].index_vector.size());
    double nll = 0;
    for (const Gist& child : children) {
        EXPECT_NEAR(inner_product(child.index_vector, child.index_vector), 1.0, 1e-5);
        for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += child.index_vector[i] / 32;
        nll += static_cast<double>(child.statistics.mean_nll) / 32;
    }
    const double length = std::sqrt(inner_product(mean, mean));
    EXPECT_NEAR(inner_product(mean, parents[0].index_vector) / length, 1.0, 1e-5);
    EXPECT_NEAR(parents[0].statistics.mean_nll, nll, 1e-5);
}

TEST_F(TinyEncoder, two_encoders_of_the_same_kind_agree_bit_for_bit) {
    const auto other = make_gist_encoder(*model_, {}).value();
    const std::vector<ReadWindow> windows = {{tokens(64), 0}};
    const auto a = encode(windows);
    const auto b = other->encode_windows(windows, false).value();
    EXPECT_EQ(a[0][1].kv, b[0][1].kv);
    EXPECT_EQ(a[0][1].index_vector, b[0][1].index_vector);
}

TEST_F(TinyEncoder, the_hash_names_pooling_and_base_model_and_the_name_says_untrained) {
    const auto mean = make_gist_encoder(*model_, {"kv-mean", 0}).value();
    lm::test::TinyShape shape;
    shape.seed = 2;
    const auto other_model = lm::test::make_tiny_model(shape);
    const auto other = make_gist_encoder(*other_model, {}).value();
    EXPECT_EQ(encoder_->info().name, "kv-last (untrained)");
    EXPECT_EQ(mean->info().name, "kv-mean (untrained)");
    EXPECT_NE(mean->info().hash, encoder_->info().hash);
    EXPECT_NE(other->info().hash, encoder_->info().hash);
    EXPECT_EQ(make_gist_encoder(*model_, {"kv-last", 3}).value()->info().hash,
              encoder_->info().hash);
    EXPECT_EQ(encoder_->info().shape, (GistShape{2, 2, 8, 32}));
}

TEST_F(TinyEncoder, a_gist_can_be_read_by_the_model_that_it_was_made_for) {
    const auto made = encode({{tokens(64), 0}});
    const auto sequence = model_->new_sequence();
    const std::vector<lm::Segment> segments = {lm::Segment::of_tokens({model_->tokenizer().bos()}),
                                               lm::Segment::of_gists({&made[0][0], &made[0][1]}),
                                               lm::Segment::of_tokens(tokens(3))};
    ASSERT_TRUE(sequence->append(segments));
    const std::vector<float> logits = sequence->next_logits().value();
    for (const float logit : logits) ASSERT_TRUE(std::isfinite(logit));
}

TEST_F(TinyEncoder, what_cannot_be_encoded_is_refused_by_name) {
    const auto refused = make_gist_encoder(*model_, {"kv-first", 0});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kUsage);
    EXPECT_NE(refused.error().to_string().find("kv-first"), std::string::npos);

    const std::vector<ReadWindow> windows = {{tokens(512), 0}};  // the context is 512 with BOS
    const auto long_window = encoder_->encode_windows(windows, false);
    ASSERT_FALSE(long_window);
    EXPECT_EQ(long_window.error().code(), ErrorCode::kInvalidInput);

    const auto reader = IndexReader::make(*model_, {"mean"}).value();
    for (const std::size_t count : {0, 512}) {
        const std::vector<std::vector<TokenId>> texts = {tokens(count)};
        EXPECT_EQ(reader->read_texts(texts).error().code(), ErrorCode::kInvalidInput) << count;
    }

    std::vector<Gist> foreign(32, encode({{tokens(32), 0}})[0][0]);
    foreign[31].kv.pop_back();
    const std::vector<SiblingGists> families = {foreign};
    EXPECT_EQ(encoder_->encode_parents(families).error().code(), ErrorCode::kInvalidInput);
}

TEST_F(TinyEncoder, nothing_to_encode_gives_nothing) {
    EXPECT_TRUE(encoder_->encode_windows({}, true).value().empty());
    EXPECT_TRUE(encoder_->encode_parents({}).value().empty());
}

}  // namespace
}  // namespace mc::gistnet::test
