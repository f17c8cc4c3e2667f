// SPDX-License-Identifier: Apache-2.0
#include "lensnet/choice.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace mc::lensnet {

std::vector<std::size_t> choice_by(std::span<const double> gains, double price) {
    std::vector<std::size_t> order(gains.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater(), [&](std::size_t i) { return gains[i]; });
    order.resize(std::min(order.size(), kLensShownMax));
    const std::size_t best = order.empty() ? 0 : order.front();
    std::erase_if(order, [&](std::size_t i) { return i != best && gains[i] <= price; });
    return order;
}

}  // namespace mc::lensnet
