// SPDX-License-Identifier: Apache-2.0
// Laws of attention matching: its error is that of attention written out entry by entry at compact
// positions, and its gradient is the error's slope.
#include <gtest/gtest.h>

#include "core/span_math.h"
#include "gistnet/training/attention_matching.h"
#include "gistnet/training/trainer.h"
#include "tests/support/tiny_model.h"

namespace mc::gistnet::test {
namespace {

constexpr std::int64_t kBlocks = 66;
constexpr std::int64_t kTokens = kBlocks * 32 + 40;

struct Entry {
    at::Tensor key;    // (D), before rotation
    at::Tensor value;  // (D)
};

class AttentionMatching : public testing::Test {
  protected:
    AttentionMatching() {
        at::NoGradGuard no_grad;
        lm::test::TinyShape shape;
        shape.context_length = 4096;
        model_ = lm::test::make_tiny_model(shape);
        bos_ = read_bos(torch());
        std::vector<TokenId> read = {torch().tokenizer->bos()};
        for (const TokenId token : lm::test::random_tokens(model_->tokenizer(), kTokens, 7))
            read.push_back(token);
        const std::vector<std::vector<TokenId>> windows = {std::move(read)};
        const lm::ReadOutput out = torch().read_attention(windows, 1);
        text_ = {out.queries[0], out.attended[0], out.keys[0], out.values[0]};
        const auto some = [&](std::int64_t begin, std::int64_t count) {
            const auto take = [&](const at::Tensor& x) {
                return x.narrow(2, begin, count).permute({2, 0, 1, 3}).contiguous();
            };
            return KeysValues{take(text_.keys), take(text_.values)};
        };
        // Any keys and values of the model's own kind will do as gists.
        gists_ = {some(100, kBlocks), some(700, 2)};
    }

    const lm::TorchModel& torch() const { return model_->torch_model(); }

    MatchResult match(const std::vector<MatchRun>& runs) const {
        return match_attention(torch(), bos_, text_, gists_, runs);
    }

    // The entries that a token of a run sees, in order; BOS first.
    std::vector<Entry> entries(const MatchRun& run, std::int64_t token, std::int64_t layer,
                               std::int64_t head, bool with_gists) const {
        std::vector<Entry> out = {{bos_.keys[0][layer][head], bos_.values[0][layer][head]}};
        const auto add = [&](const KeysValues& from, std::int64_t i) {
            out.push_back({from.keys[i][layer][head], from.values[i][layer][head]});
        };
        for (std::int64_t p = 0; p < run.families && with_gists; ++p) add(gists_.parents, p);
        for (std::int64_t b = 32 * run.families; b < run.blocks && with_gists; ++b)
            add(gists_.blocks, b);
        for (std::int64_t t = 32 * run.blocks; t <= token; ++t)
            out.push_back({text_.keys[layer][head][t], text_.values[layer][head][t]});
        return out;
    }

    // Attention's output at a token, (Hq × D). Without gists the raw tokens stay where they stand
    // behind them.
    at::Tensor attended(const MatchRun& run, std::int64_t token, std::int64_t layer,
                        bool with_gists) const {
        const std::int64_t kv_heads = text_.keys.size(1);
        const std::int64_t group = text_.queries.size(1) / kv_heads;
        const std::int64_t hidden = with_gists ? 0 : run.families + run.blocks - 32 * run.families;
        std::vector<at::Tensor> out;
        for (std::int64_t q = 0; q < text_.queries.size(1); ++q) {
            const auto seen = entries(run, token, layer, q / group, with_gists);
            const auto at_position = [&](const at::Tensor& x, std::int64_t position) {
                return lm::rotate_pairs(x, torch().rope.cosines[position],
                                        torch().rope.sines[position]);
            };
            const auto last = static_cast<std::int64_t>(seen.size()) - 1 + hidden;
            const at::Tensor query = at_position(text_.queries[layer][q][token], last);
            std::vector<at::Tensor> scores;
            std::vector<at::Tensor> values;
            for (std::size_t i = 0; i < seen.size(); ++i) {
                const std::int64_t position = i == 0 ? 0 : static_cast<std::int64_t>(i) + hidden;
                scores.push_back(query.dot(at_position(seen[i].key, position)) /
                                 std::sqrt(static_cast<double>(query.size(0))));
                values.push_back(seen[i].value);
            }
            out.push_back(at::softmax(at::stack(scores), 0).matmul(at::stack(values)));
        }
        return at::cat(out);
    }

    double expected_unexplained(const std::vector<MatchRun>& runs, std::int64_t layer) const {
        double with = 0;
        double without = 0;
        const at::Tensor weight = torch().weights.layers[static_cast<std::size_t>(layer)].output;
        for (const MatchRun& run : runs)
            for (std::int64_t t = run.first; t < run.first + run.count; ++t) {
                const auto error = [&](bool with_gists) {
                    const at::Tensor difference =
                        attended(run, t, layer, with_gists) - text_.attended[layer][t];
                    return weight.matmul(difference).square().sum().item<double>();
                };
                with += error(true);
                without += error(false);
            }
        return with / without;
    }

    std::unique_ptr<lm::BaseModel> model_;
    KeysValues bos_;
    MatchText text_;
    MatchGists gists_;
};

TEST_F(AttentionMatching, the_error_is_that_of_attention_at_compact_positions) {
    at::NoGradGuard no_grad;
    const std::vector<std::vector<MatchRun>> cases = {{{0, 3, 96, 4}},
                                                      {{0, 1, 70, 3}, {0, 5, 160, 2}},
                                                      {{1, 33, 1056, 3}, {2, 66, 2115, 2}},
                                                      {{2, 64, 2050, 3}}};
    for (const std::vector<MatchRun>& runs : cases) {
        const MatchResult result = match(runs);
        for (std::int64_t layer = 0; layer < text_.keys.size(0); ++layer) {
            const double expected = expected_unexplained(runs, layer);
            EXPECT_NEAR(result.unexplained[static_cast<std::size_t>(layer)], expected,
                        2e-3 * expected)
                << runs.size() << " runs, the last behind " << runs.back().blocks << " blocks";
        }
    }
}

TEST_F(AttentionMatching, the_gradient_is_the_slope) {
    const std::vector<MatchRun> runs = {{1, 35, 1125, 8}, {0, 2, 64, 8}};
    const MatchResult result = match(runs);
    const auto mean = [&] {
        const std::vector<double> layers = match(runs).unexplained;
        double sum = 0;
        for (const double layer : layers) sum += layer;
        return sum / static_cast<double>(layers.size());
    };
    const at::Tensor tensors[] = {gists_.blocks.keys, gists_.blocks.values, gists_.parents.keys,
                                  gists_.parents.values};
    const at::Tensor gradients[] = {result.gradient.blocks.keys, result.gradient.blocks.values,
                                    result.gradient.parents.keys, result.gradient.parents.values};
    for (int i = 0; i < 4; ++i) {
        // Along the gradient itself the slope is its squared norm.
        const double norm = gradients[i].norm().item<double>();
        ASSERT_GT(norm, 0) << i;
        const double step = 1e-2;
        const at::Tensor direction = gradients[i] / norm;
        tensors[i].add_(direction, step);
        const double up = mean();
        tensors[i].add_(direction, -2 * step);
        const double down = mean();
        tensors[i].add_(direction, step);
        EXPECT_NEAR((up - down) / (2 * step), norm, 0.02 * norm) << i;
    }
    // Blocks that no run shows learn nothing.
    EXPECT_EQ(gradients[0].narrow(0, 35, kBlocks - 35).abs().max().item<float>(), 0.0F);
}

}  // namespace
}  // namespace mc::gistnet::test
