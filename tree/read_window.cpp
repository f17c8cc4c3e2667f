// SPDX-License-Identifier: Apache-2.0
#include "tree/read_window.h"

#include <algorithm>

#include "core/check.h"
#include "core/span_math.h"

namespace mc {

std::uint64_t read_window_begin(std::uint64_t token) {
    const std::uint64_t first_new = token - token % kWindowNewTokens;
    return first_new - std::min(first_new, kWindowContextTokens);
}

ReadWindow read_window_at(std::span<const TokenId> text, std::uint64_t text_begin,
                          TokenSpan fresh) {
    const std::uint64_t begin = read_window_begin(fresh.begin);
    const std::uint64_t window_end =
        fresh.begin - fresh.begin % kWindowNewTokens + kWindowNewTokens;
    const std::uint64_t end = std::min(window_end, fresh.end);
    MC_CHECK(text_begin <= begin && fresh.begin < end && end - text_begin <= text.size(),
             "a read window reaches beyond its text");
    const auto read = text.subspan(begin - text_begin, end - begin);
    return {{read.begin(), read.end()}, static_cast<std::uint32_t>(fresh.begin - begin)};
}

std::vector<ReadWindow> first_read_windows(std::span<const TokenId> text, std::uint64_t text_begin,
                                           TokenSpan fresh) {
    std::vector<ReadWindow> windows;
    while (fresh.begin < fresh.end && windows.size() < kWindowsPerCall) {
        windows.push_back(read_window_at(text, text_begin, fresh));
        fresh.begin += windows.back().tokens.size() - windows.back().context_count;
    }
    return windows;
}

std::uint64_t read_end(TokenSpan changed) {
    MC_CHECK(changed.begin < changed.end, "an empty stretch is read by nothing");
    return tail_begin(changed.end - 1 + kReadBeforeBlock) + kBlockSize;
}

std::vector<ReadWindow> read_windows(std::span<const TokenId> text, TokenSpan fresh) {
    MC_CHECK(is_block_aligned(fresh, Level(1)), "gists are made of whole blocks");
    std::vector<ReadWindow> windows;
    while (fresh.begin < fresh.end) {
        windows.push_back(read_window_at(text, 0, fresh));
        fresh.begin += windows.back().tokens.size() - windows.back().context_count;
    }
    return windows;
}

}  // namespace mc
