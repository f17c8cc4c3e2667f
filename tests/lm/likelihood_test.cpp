// SPDX-License-Identifier: Apache-2.0
#include "lm/likelihood.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/tiny_model.h"

namespace mc::lm::test {
namespace {

std::vector<TokenLikelihood> likelihoods(const BaseModel& model, const LikelihoodOptions& options,
                                         std::span<const TokenId> tokens, std::size_t piece) {
    std::vector<TokenLikelihood> out;
    const auto receive = [&](std::span<const TokenLikelihood> scored) -> Result<void> {
        EXPECT_LE(scored.size(), options.window);
        out.insert(out.end(), scored.begin(), scored.end());
        return {};
    };
    auto scorer = LikelihoodScorer::make(model, options, receive).value();
    for (std::size_t at = 0; at < tokens.size(); at += piece)
        EXPECT_TRUE(scorer.push(tokens.subspan(at, std::min(piece, tokens.size() - at))));
    EXPECT_TRUE(scorer.finish());
    return out;
}

TEST(Likelihood, each_token_is_scored_once_in_the_window_that_its_place_says) {
    const auto model = make_tiny_model();
    const LikelihoodOptions options{20, 6, 3};
    const auto tokens = random_tokens(model->tokenizer(), 58, 3);
    const auto scored = likelihoods(*model, options, tokens, 1000);
    ASSERT_EQ(scored.size(), tokens.size());
    std::size_t end = 19;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        SCOPED_TRACE("token " + std::to_string(i));
        EXPECT_EQ(scored[i].index, i);
        EXPECT_EQ(scored[i].token, tokens[i]);
        while (end <= i) end += 6;
        const std::size_t last = std::min(end, tokens.size());
        const std::size_t begin = last > 19 ? last - 19 : 0;
        EXPECT_TRUE(begin == 0 || i - begin + 1 >= 20 - 6);  // at least W − S entries before it
        std::vector<TokenId> read = {model->tokenizer().bos()};
        for (std::size_t k = begin; k < i; ++k) read.push_back(tokens[k]);
        const auto sequence = model->new_sequence();
        const std::vector<Segment> segment = {Segment::of_tokens(read)};
        ASSERT_TRUE(sequence->append(segment));
        const std::vector<float> logits = sequence->next_logits().value();
        double sum = 0;
        for (const float x : logits) sum += std::exp(static_cast<double>(x));
        double entropy = 0;
        std::vector<std::pair<double, TokenId>> ranked;
        for (std::size_t id = 0; id < logits.size(); ++id) {
            const double x = static_cast<double>(logits[id]) - std::log(sum);
            entropy -= std::exp(x) * x;
            ranked.emplace_back(-x, static_cast<TokenId>(id));
        }
        std::ranges::sort(ranked);
        EXPECT_NEAR(scored[i].entropy, entropy, 1e-4);
        const double score =
            static_cast<double>(logits[static_cast<std::size_t>(tokens[i])]) - std::log(sum);
        EXPECT_NEAR(scored[i].nll, -score, 1e-4);
        ASSERT_EQ(scored[i].top.size(), 3U);
        for (std::size_t k = 0; k < 3; ++k) {
            EXPECT_EQ(scored[i].top[k].first, ranked[k].second);
            EXPECT_NEAR(scored[i].top[k].second, -ranked[k].first, 1e-4);
        }
    }
}

TEST(Likelihood, how_the_tokens_arrive_changes_nothing) {
    const auto model = make_tiny_model();
    for (const std::size_t count : {0, 1, 18, 19, 20, 25, 26, 70}) {
        const auto tokens = random_tokens(model->tokenizer(), count, 4);
        const auto whole = likelihoods(*model, {20, 6, 0}, tokens, 1000);
        EXPECT_EQ(whole.size(), count);
        for (const std::size_t piece : {1, 5, 19}) {
            const auto cut = likelihoods(*model, {20, 6, 0}, tokens, piece);
            ASSERT_EQ(cut.size(), count);
            for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(cut[i].nll, whole[i].nll);
        }
    }
}

TEST(Likelihood, options_out_of_range_are_refused_and_the_receivers_error_ends_it) {
    const auto model = make_tiny_model();
    const auto ignore = [](std::span<const TokenLikelihood>) { return Result<void>(); };
    for (const LikelihoodOptions& wrong :
         {LikelihoodOptions{1, 1, 0}, LikelihoodOptions{513, 9, 0}, LikelihoodOptions{20, 20, 0},
          LikelihoodOptions{20, 0, 0}, LikelihoodOptions{20, 6, 2000}})
        EXPECT_EQ(LikelihoodScorer::make(*model, wrong, ignore).error().code(), ErrorCode::kUsage);
    auto scorer = LikelihoodScorer::make(*model, {20, 6, 0}, [](const auto&) -> Result<void> {
                      return fail(ErrorCode::kCancelled, "enough");
                  }).value();
    const auto tokens = random_tokens(model->tokenizer(), 30, 4);
    EXPECT_EQ(scorer.push(tokens).error().code(), ErrorCode::kCancelled);
}

TEST(Likelihood, the_default_models_are_those_of_the_reference) {
    if (!std::filesystem::exists(MC_DEFAULT_MODEL))
        GTEST_SKIP() << "no default model at " << MC_DEFAULT_MODEL << ": run scripts/setup";
    ModelOptions model_options;
    model_options.path = MC_DEFAULT_MODEL;
    model_options.dtype = Dtype::kF32;
    const auto model = BaseModel::open(model_options).value();
    std::ifstream file(MC_GOLDEN_DIR "/lm/smollm2_likelihood.txt");
    LikelihoodOptions options;
    options.top_k = 4;
    std::string word;
    file >> word >> options.window >> word >> options.stride >> word;
    std::string line;
    std::getline(file, line);
    std::istringstream ids(line);
    std::vector<TokenId> tokens;
    for (TokenId id = 0; ids >> id;) tokens.push_back(id);
    ASSERT_EQ(tokens.size(), 60U);
    for (const TokenLikelihood& scored : likelihoods(*model, options, tokens, 13)) {
        SCOPED_TRACE("token " + std::to_string(scored.index));
        double nll = 0;
        double entropy = 0;
        ASSERT_TRUE(file >> nll >> entropy);
        EXPECT_NEAR(scored.nll, nll, 2e-3);
        EXPECT_NEAR(scored.entropy, entropy, 2e-3);
        for (const auto& [id, score] : scored.top) {
            TokenId golden_id = 0;
            char colon = 0;
            double golden_score = 0;
            ASSERT_TRUE(file >> golden_id >> colon >> golden_score);
            EXPECT_EQ(id, golden_id);
            EXPECT_NEAR(score, golden_score, 2e-3);
        }
    }
}

}  // namespace
}  // namespace mc::lm::test
