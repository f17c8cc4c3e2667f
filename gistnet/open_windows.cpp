// SPDX-License-Identifier: Apache-2.0
#include "gistnet/open_windows.h"

#include <algorithm>

namespace mc::gistnet {
namespace {

// Two conversations may take turns; each costs 47 MB in f32.
constexpr std::size_t kReadingsMax = 2;

}  // namespace

lm::WindowReading& OpenWindows::reading_of(std::span<const TokenId> window,
                                           std::int64_t kept_begin) {
    const auto before = window.first(static_cast<std::size_t>(kept_begin));
    auto best = readings_.end();
    for (auto one = readings_.begin(); one != readings_.end(); ++one) {
        const std::vector<TokenId>& read = one->tokens();
        if (read.size() > before.size() || !std::ranges::equal(read, before.first(read.size())))
            continue;
        if (best == readings_.end() || read.size() > best->tokens().size()) best = one;
    }
    if (best == readings_.end()) {
        if (readings_.size() == kReadingsMax) readings_.pop_back();
        readings_.emplace_front(model_);
    } else {
        readings_.splice(readings_.begin(), readings_, best);
    }
    return readings_.front();
}

lm::ReadOutput OpenWindows::read(std::span<const TokenId> window, std::int64_t kept_begin,
                                 const std::vector<std::int64_t>& residual_layers) {
    lm::WindowReading& reading = reading_of(window, kept_begin);
    return reading.read(window.subspan(reading.tokens().size()),
                        static_cast<std::int64_t>(window.size()) - kept_begin, residual_layers);
}

}  // namespace mc::gistnet
