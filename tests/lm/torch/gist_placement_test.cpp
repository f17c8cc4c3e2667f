// SPDX-License-Identifier: Apache-2.0
// The law of cache surgery: a token's own keys (before rotation) and values, placed from outside at
// its position, leave every later token's logits as if the token had been read.
#include <gtest/gtest.h>

#include "lm/torch/torch_model.h"
#include "tests/support/tiny_model.h"

namespace mc::lm::test {
namespace {

std::vector<std::int64_t> range(std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> out;
    for (std::int64_t i = begin; i < end; ++i) out.push_back(i);
    return out;
}

class PlacedGists : public testing::Test {
  protected:
    const c10::InferenceMode inference_;
    std::unique_ptr<BaseModel> model_ = make_tiny_model();
    const TorchModel& torch_ = model_->torch_model();
    std::vector<TokenId> tokens_ = random_tokens(model_->tokenizer(), 48, 9);
    ReadOutput read_ = torch_.read_windows(std::vector<std::vector<TokenId>>{tokens_}, 0);
};

// [begin, end): the tokens that are placed from outside.
class GistPlacement : public PlacedGists,
                      public testing::WithParamInterface<std::pair<std::int64_t, std::int64_t>> {};

TEST_P(GistPlacement, placing_a_tokens_keys_and_values_equals_reading_it) {
    const auto [begin, end] = GetParam();
    const auto length = static_cast<std::int64_t>(tokens_.size());
    const auto by_entry = [&](const at::Tensor& x) {  // (1, L, H, T, D) → (1, n, L, H, D)
        return x.narrow(3, begin, end - begin).permute({0, 3, 1, 2, 4});
    };
    KvCache cache = torch_.new_cache(1, CacheKind::kPerLayer);
    cache.reserve(length);
    torch_.place(cache, range(begin, end), by_entry(read_.keys), by_entry(read_.values));
    std::vector<std::int64_t> others = range(0, begin);
    for (const std::int64_t i : range(end, length)) others.push_back(i);
    std::vector<TokenId> raw;
    for (const std::int64_t i : others) raw.push_back(tokens_[static_cast<std::size_t>(i)]);
    const at::Tensor hidden = torch_.forward(torch_.embed(raw).unsqueeze(0), others, cache);
    const at::Tensor plain = read_.hidden.narrow(1, end, length - end);
    const at::Tensor placed = hidden.narrow(1, begin, length - end);
    EXPECT_LT((plain - placed).abs().max().item<float>(), 1e-4F);
    EXPECT_GT(plain.abs().max().item<float>(), 0.1F);
}

TEST_P(GistPlacement, a_gist_of_one_token_reads_as_that_token_within_half_precision) {
    const auto [begin, end] = GetParam();
    std::vector<Gist> gists;
    for (const std::int64_t i : range(begin, end)) {
        const at::Tensor kv =
            at::stack({read_.keys.select(3, i), read_.values.select(3, i)}, 2).to(at::kHalf);
        const auto* halves = static_cast<const std::uint16_t*>(kv.const_data_ptr());
        gists.push_back({{halves, halves + kv.numel()}, {}, {}, {}});
    }
    Segment placed;
    for (const Gist& gist : gists) placed.gists.push_back(&gist);
    const std::vector<Segment> segments = {
        Segment::of_tokens({tokens_.begin(), tokens_.begin() + begin}), placed,
        Segment::of_tokens({tokens_.begin() + end, tokens_.end()})};
    const auto surgical = model_->new_sequence();
    ASSERT_TRUE(surgical->append(segments));
    const auto plain = model_->new_sequence();
    const std::vector<Segment> whole = {Segment::of_tokens(tokens_)};
    ASSERT_TRUE(plain->append(whole));
    const std::vector<float> a = surgical->next_logits().value();
    const std::vector<float> b = plain->next_logits().value();
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 5e-3F);
}

INSTANTIATE_TEST_SUITE_P(Ranges, GistPlacement,
                         testing::Values(std::pair{0, 1}, std::pair{0, 20}, std::pair{5, 21},
                                         std::pair{1, 47}, std::pair{46, 47}));

class GistsWithLogMass : public PlacedGists {
  protected:
    Gist gist_of(std::int64_t token) const {
        const at::Tensor kv =
            at::stack({read_.keys.select(3, token), read_.values.select(3, token)}, 2)
                .to(at::kHalf);
        const auto* halves = static_cast<const std::uint16_t*>(kv.const_data_ptr());
        return {{halves, halves + kv.numel()}, {}, {}, {}};
    }

    Gist with_steps(Gist gist, std::int8_t steps) const {
        gist.log_mass.assign(model_->config().gist_shape().log_mass_count(), steps);
        return gist;
    }

    // What is predicted after gists and a few tokens, read in one pass or one by one.
    std::vector<float> predict(const std::vector<const Gist*>& gists, bool one_by_one) const {
        const auto sequence = model_->new_sequence();
        const std::vector<Segment> first = {Segment::of_gists(gists)};
        EXPECT_TRUE(sequence->append(first));
        const std::vector<TokenId> tokens(tokens_.begin(), tokens_.begin() + 7);
        if (one_by_one) {
            for (const TokenId token : tokens) EXPECT_TRUE(sequence->append_token(token));
        } else {
            const std::vector<Segment> rest = {Segment::of_tokens(tokens)};
            EXPECT_TRUE(sequence->append(rest));
        }
        return sequence->next_logits().value();
    }

    static float distance(const std::vector<float>& a, const std::vector<float>& b) {
        float largest = 0;
        for (std::size_t i = 0; i < a.size(); ++i)
            largest = std::max(largest, std::abs(a[i] - b[i]));
        return largest;
    }
};

TEST_F(GistsWithLogMass, an_absent_gist_has_no_part_in_what_is_predicted) {
    const Gist seen = gist_of(3);
    const Gist one = gist_of(9);
    const Gist other = gist_of(20);
    for (const bool one_by_one : {false, true}) {
        EXPECT_GT(
            distance(predict({&seen, &one}, one_by_one), predict({&seen, &other}, one_by_one)),
            1e-3F);
        const Gist hidden = with_steps(one, kLogMassAbsent);
        const Gist hidden_too = with_steps(other, kLogMassAbsent);
        EXPECT_EQ(predict({&seen, &hidden}, one_by_one), predict({&seen, &hidden_too}, one_by_one));
        const Gist zero = with_steps(one, 0);
        EXPECT_LT(distance(predict({&seen, &zero}, one_by_one), predict({&seen, &one}, one_by_one)),
                  1e-5F);
    }
}

TEST_F(GistsWithLogMass, two_like_gists_are_one_of_twice_the_mass) {
    Gist gist = gist_of(3);
    // Keys of zero do not turn: the gist is the same at any place.
    const std::size_t half = gist.kv.size() / model_->config().layer_count / 2;
    for (std::size_t first = 0; first < gist.kv.size(); first += 2 * half)
        std::fill_n(gist.kv.begin() + static_cast<std::ptrdiff_t>(first), half, std::uint16_t{0});
    const Gist absent = with_steps(gist, kLogMassAbsent);
    const Gist twice = with_steps(gist, 11);  // ln 2 is 11.09 steps
    for (const bool one_by_one : {false, true}) {
        const std::vector<float> two = predict({&gist, &gist}, one_by_one);
        const float apart = distance(two, predict({&absent, &gist}, one_by_one));
        EXPECT_GT(apart, 1e-3F);
        EXPECT_LT(distance(two, predict({&absent, &twice}, one_by_one)), 0.05F * apart);
    }
}

TEST_F(PlacedGists, the_same_gist_elsewhere_is_rotated_to_its_place) {
    // Keys are stored before rotation, so the same gist at two positions has two cached keys that
    // differ by the rotation between them and equal values.
    const at::Tensor keys = read_.keys.narrow(3, 4, 1).permute({0, 3, 1, 2, 4});
    const at::Tensor values = read_.values.narrow(3, 4, 1).permute({0, 3, 1, 2, 4});
    KvCache cache = torch_.new_cache(1, CacheKind::kPerLayer);
    cache.reserve(40);
    torch_.place(cache, range(0, 1), keys, values);
    torch_.place(cache, range(30, 31), keys, values);
    for (std::size_t l = 0; l < 2; ++l) {
        const at::Tensor unrotated =
            read_.keys.select(1, static_cast<std::int64_t>(l)).select(2, 4);
        EXPECT_TRUE(at::equal(cache.keys(l).select(2, 0), unrotated));
        EXPECT_FALSE(at::allclose(cache.keys(l).select(2, 30), unrotated, 1e-3, 1e-3));
        EXPECT_TRUE(at::equal(cache.values(l).select(2, 0), cache.values(l).select(2, 30)));
        const auto norm = [](const at::Tensor& x) { return x.norm().item<float>(); };
        EXPECT_NEAR(norm(cache.keys(l).select(2, 30)), norm(unrotated), 1e-4F);
    }
}

}  // namespace
}  // namespace mc::lm::test
