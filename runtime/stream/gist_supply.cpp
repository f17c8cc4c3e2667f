// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream/gist_supply.h"

#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "tree/read_window.h"

namespace mc::runtime {

void GistSupply::append(std::span<const TokenId> tokens) {
    text_.insert(text_.end(), tokens.begin(), tokens.end());
}

Result<Gist> GistSupply::take() {
    if (made_.empty()) MC_TRY(make());
    MC_CHECK(!made_.empty(), "a gist is of a whole block");
    Gist gist = std::move(made_.front());
    made_.pop_front();
    return gist;
}

Result<void> GistSupply::make() {
    const std::uint64_t end = tail_begin(text_begin_ + text_.size());
    std::vector<ReadWindow> windows;
    for (std::uint64_t begin = made_end_; begin < end;) {
        windows.push_back(read_window_at(text_, text_begin_, {begin, end}));
        begin += windows.back().tokens.size() - windows.back().context_count;
    }
    MC_ASSIGN(auto by_window, encoder_.encode_windows(windows, false));
    for (std::vector<Gist>& gists : by_window)
        for (Gist& gist : gists) made_.push_back(std::move(gist));
    made_end_ = end;
    const std::uint64_t needed = read_window_begin(made_end_);
    text_.erase(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(needed - text_begin_));
    text_begin_ = needed;
    return {};
}

}  // namespace mc::runtime
