// SPDX-License-Identifier: Apache-2.0
// Laws of the fit of entries to what blocks say: gistnet/pooling/match_fit.h.
#include "gistnet/pooling/match_fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gistnet/pooling/attention_pooler.h"

namespace mc::gistnet::test {
namespace {

constexpr std::int64_t kQueryCount = 60;
constexpr std::int64_t kDim = 8;

// Of 2 heads. What they saw has about the mass of a block.
MatchQueries random_queries() {
    at::manual_seed(7);
    return {at::randn({2, kQueryCount, kDim}), at::randn({2, kQueryCount, kDim}),
            at::randn({2, kQueryCount}) + 2, at::randn({2, kQueryCount, kDim})};
}

// Σ |π (o - c) - p (v - c)|², entry by entry, as the header has it.
double squared_error(const MatchQueries& queries, const MatchTarget& target, const MatchFit& fit,
                     std::int64_t block, std::int64_t head) {
    double sum = 0;
    const at::Tensor entry = fit.key_and_mass.index({block, head});
    for (std::int64_t r = 0; r < kQueryCount; ++r) {
        const at::Tensor c = queries.heard.index({head, r});
        const double score =
            at::dot(queries.to_gist.index({head, r}), entry.narrow(0, 0, kDim)).item<double>() +
            entry[kDim].item<double>() - queries.seen.index({head, r}).item<double>();
        const double p = 1 / (1 + std::exp(-score));
        const at::Tensor rest =
            target.moved.index({block, head, r}) - p * (fit.value.index({block, head}) - c);
        sum += rest.square().sum().item<double>();
    }
    return sum;
}

MatchTarget random_target(const MatchQueries& queries) {
    return target_of(queries, at::randn({3, 2, 32, kDim}), at::randn({3, 2, 32, kDim}), {});
}

TEST(MatchTarget, IsWhatTheBlockMovesTheOutputBy) {
    const MatchQueries queries = random_queries();
    const at::Tensor keys = at::randn({1, 2, 32, kDim});
    const at::Tensor values = at::randn({1, 2, 32, kDim});
    const MatchTarget target = target_of(queries, keys, values, {});
    for (std::int64_t head = 0; head < 2; ++head) {
        const at::Tensor scores = at::mv(keys.index({0, head}), queries.to_block.index({head, 5}));
        const double mass = scores.exp().sum().item<double>();
        const double seen = std::exp(queries.seen.index({head, 5}).item<double>());
        const at::Tensor said = at::mv(values.index({0, head}).t(), scores.softmax(0));
        const at::Tensor heard = queries.heard.index({head, 5});
        const at::Tensor both = (mass * said + seen * heard) / (mass + seen);
        EXPECT_TRUE(at::allclose(target.moved.index({0, head, 5}), both - heard, 1e-4, 1e-5));
        EXPECT_NEAR(target.mass.index({0, head, 5}).item<double>(), std::log(mass), 1e-4);
    }
}

TEST(MatchTarget, ChildrenCountByTheirLogMass) {
    const MatchQueries queries = random_queries();
    const at::Tensor keys = at::randn({1, 2, 32, kDim});
    const at::Tensor values = at::randn({1, 2, 32, kDim});
    // A child of the mass of two is the child twice.
    at::Tensor log_mass = at::zeros({1, 2, 32});
    log_mass.select(2, 0).fill_(std::log(2.0));
    const at::Tensor twice_keys = at::cat({keys, keys.narrow(2, 0, 1)}, 2);
    const at::Tensor twice_values = at::cat({values, values.narrow(2, 0, 1)}, 2);
    EXPECT_TRUE(at::allclose(target_of(queries, keys, values, log_mass).moved,
                             target_of(queries, twice_keys, twice_values, {}).moved, 1e-4, 1e-5));
}

TEST(MatchFit, TheErrorIsThatOfTheEntryAndItsValueIsTheBest) {
    const MatchQueries queries = random_queries();
    const MatchTarget target = random_target(queries);
    MatchFit fit = fit_entries(queries, target);
    for (std::int64_t block = 0; block < 3; ++block)
        for (std::int64_t head = 0; head < 2; ++head) {
            const double all = target.moved.index({block, head}).square().sum().item<double>();
            const double error = squared_error(queries, target, fit, block, head);
            EXPECT_NEAR(fit.error.index({block, head}).item<double>() + all, error, 1e-3 * all);
            MatchFit other = fit;
            other.value = fit.value + 0.01 * at::randn_like(fit.value);
            EXPECT_GT(squared_error(queries, target, other, block, head), error);
        }
}

TEST(MatchFit, IsNoWorseThanNoEntryAndThanTheSameKeyWithOtherMasses) {
    const MatchQueries queries = random_queries();
    const MatchTarget target = random_target(queries);
    const MatchFit fit = fit_entries(queries, target);
    EXPECT_LT(fit.error.max().item<double>(), 0);  // 0 is what no entry leaves
    for (const double mass : {-3.0, -1.0, 0.0, 2.0}) {
        at::Tensor other = fit.key_and_mass.clone();
        other.select(2, kDim).fill_(mass);
        EXPECT_TRUE(
            (fit.error <= evaluate(queries, target, other).error + 1e-3).all().item<bool>());
    }
    const at::Tensor masses = fit.key_and_mass.select(2, kDim);
    EXPECT_GE(masses.min().item<double>(), kLogMassMin);
    EXPECT_LE(masses.max().item<double>(), kLogMassMax);
}

// Where every position is the same, one entry says all that the block says.
TEST(MatchFit, ABlockOfOnePositionRepeatedIsMatchedExactly) {
    MatchQueries queries = random_queries();
    queries.to_block = queries.to_gist;
    const at::Tensor keys = (0.5 * at::randn({1, 2, 1, kDim})).expand({1, 2, 32, kDim});
    const at::Tensor values = at::randn({1, 2, 1, kDim}).expand({1, 2, 32, kDim});
    const MatchTarget target = target_of(queries, keys, values, {});
    const MatchFit fit = fit_entries(queries, target);
    for (std::int64_t head = 0; head < 2; ++head) {
        const double all = target.moved.index({0, head}).square().sum().item<double>();
        EXPECT_LT(squared_error(queries, target, fit, 0, head), 0.01 * all);
        EXPECT_TRUE(at::allclose(fit.value.index({0, head}), values.index({0, head, 0}), 0, 0.15));
    }
}

}  // namespace
}  // namespace mc::gistnet::test
