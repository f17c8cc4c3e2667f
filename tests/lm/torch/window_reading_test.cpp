// SPDX-License-Identifier: Apache-2.0
// The law of a window that is read piece by piece: the same as one that is read at once.
#include "lm/torch/window_reading.h"

#include <gtest/gtest.h>

#include "tests/support/tiny_model.h"

namespace mc::lm::test {
namespace {

float largest_difference(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<float>();
}

TEST(WindowReading, pieces_give_the_states_of_the_whole) {
    const c10::InferenceMode inference;
    const auto model = make_tiny_model();
    const TorchModel& torch = model->torch_model();
    const std::vector<TokenId> tokens = random_tokens(model->tokenizer(), 60, 9);
    const ReadOutput whole = torch.read_windows(std::vector<std::vector<TokenId>>{tokens}, 0, {1});
    WindowReading reading(torch);
    std::int64_t begin = 0;
    for (const std::int64_t count : {1, 7, 32, 20}) {
        const std::int64_t kept = count - count / 3;
        const auto more = std::span(tokens).subspan(static_cast<std::size_t>(begin),
                                                    static_cast<std::size_t>(count));
        const ReadOutput out = reading.read(more, kept, {1});
        const std::int64_t kept_begin = begin + count - kept;
        EXPECT_LT(largest_difference(out.hidden, whole.hidden.narrow(1, begin, count)), 1e-4F);
        EXPECT_LT(largest_difference(out.keys, whole.keys.narrow(3, kept_begin, kept)), 1e-4F);
        EXPECT_LT(largest_difference(out.values, whole.values.narrow(3, kept_begin, kept)), 1e-4F);
        EXPECT_LT(largest_difference(out.residuals, whole.residuals.narrow(2, kept_begin, kept)),
                  1e-4F);
        begin += count;
        EXPECT_EQ(reading.tokens().size(), static_cast<std::size_t>(begin));
    }
    EXPECT_GT(whole.hidden.abs().max().item<float>(), 0.1F);
    EXPECT_EQ(reading.tokens(), tokens);
}

}  // namespace
}  // namespace mc::lm::test
