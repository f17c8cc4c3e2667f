// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/batch_plan.h"

#include <algorithm>

namespace mc::lm {

std::vector<std::vector<std::size_t>> plan_batches(std::span<const std::string> kinds,
                                                   std::size_t entries_max) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < kinds.size(); ++i)
        if (!kinds[i].empty()) order.push_back(i);
    // Backwards in the alphabet: a prefix comes after all that it is a prefix of.
    std::ranges::stable_sort(order,
                             [&](std::size_t a, std::size_t b) { return kinds[a] > kinds[b]; });
    std::vector<std::vector<std::size_t>> batches;
    std::size_t entries = 0;  // of the last batch's rows, without padding
    for (const std::size_t row : order) {
        const std::string& own = kinds[row];
        bool joins = !batches.empty();
        if (joins) {
            const std::string& longest = kinds[batches.back().front()];
            const std::size_t padded = longest.size() * (batches.back().size() + 1);
            const auto filled = static_cast<double>(entries + own.size());
            joins = longest.starts_with(own) && padded <= entries_max &&
                    filled >= (1.0 - kPaddingShareMax) * static_cast<double>(padded);
        }
        if (!joins) {
            batches.emplace_back();
            entries = 0;
        }
        batches.back().push_back(row);
        entries += own.size();
    }
    return batches;
}

}  // namespace mc::lm
