// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/windows.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "core/rng.h"

namespace mc::eval {

Result<std::vector<std::uint64_t>> plan_window_starts(std::uint64_t token_count,
                                                      std::uint64_t window_count,
                                                      std::uint64_t window_tokens,
                                                      std::uint64_t seed) {
    MC_CHECK(window_count > 0 && window_tokens > 0, "no windows");
    const std::uint64_t needed = window_count * window_tokens;
    if (token_count < needed)
        return fail(ErrorCode::kInvalidInput,
                    std::to_string(window_count) + " windows of " + std::to_string(window_tokens) +
                        " tokens need " + std::to_string(needed) + " tokens, it has " +
                        std::to_string(token_count) + ": ask for fewer windows or a longer text");
    // Sorted gaps in the slack, then every window pushed behind the ones before it.
    Rng rng(seed);
    std::vector<std::uint64_t> starts(window_count);
    for (auto& start : starts) start = rng.below(token_count - needed + 1);
    std::sort(starts.begin(), starts.end());
    for (std::uint64_t w = 0; w < window_count; ++w) starts[w] += w * window_tokens;
    return starts;
}

std::vector<std::size_t> plan_derangement(std::size_t count, std::uint64_t seed) {
    MC_CHECK(count >= 2, "one thing alone cannot be deranged");
    Rng rng(seed);
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = count - 1; i > 0; --i) std::swap(order[i], order[rng.below(i)]);
    return order;
}

}  // namespace mc::eval
