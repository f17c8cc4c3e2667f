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
    if (made_.empty()) MC_TRY(advance());
    MC_CHECK(!made_.empty(), "a gist is of a whole block");
    Gist gist = std::move(made_.front());
    made_.pop_front();
    return gist;
}

Result<void> GistSupply::advance() {
    const std::uint64_t end = made_end_ + kBlockSize;
    if (end > text_begin_ + text_.size()) return {};
    MC_ASSIGN(auto gists, encode(read_window_at(text_, text_begin_, {made_end_, end})));
    made_.push_back(std::move(gists.front()));
    made_end_ = end;
    MC_TRY(read_ahead());
    const std::uint64_t needed = read_window_begin(made_end_);
    text_.erase(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(needed - text_begin_));
    text_begin_ = needed;
    return {};
}

// The newest block again, as left context of the next window: the encoder keeps what it read, and
// the gist that it makes of it is nobody's.
Result<void> GistSupply::read_ahead() {
    const std::uint64_t next = made_end_ - made_end_ % kWindowNewTokens + kWindowNewTokens;
    const std::uint64_t begin = read_window_begin(next);
    if (made_end_ % kWindowNewTokens == 0 || made_end_ < begin + kBlockSize) return {};
    const auto read = std::span(text_).subspan(begin - text_begin_, made_end_ - begin);
    MC_TRY(
        encode({{read.begin(), read.end()}, static_cast<std::uint32_t>(read.size() - kBlockSize)}));
    return {};
}

Result<std::vector<Gist>> GistSupply::encode(ReadWindow window) {
    MC_ASSIGN(auto by_window, encoder_.encode_windows(std::span(&window, 1), false));
    return std::move(by_window.front());
}

}  // namespace mc::runtime
