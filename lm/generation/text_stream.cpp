// SPDX-License-Identifier: Apache-2.0
#include "lm/generation/text_stream.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace mc::lm {
namespace {

// Bytes at the end that may be the start of a UTF-8 character whose rest is still to come.
std::size_t unfinished_suffix(std::string_view bytes) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
        const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
        if ((byte & 0xc0U) == 0x80U) continue;  // continuation: look further left
        const std::size_t size = byte >= 0xf0U ? 4 : byte >= 0xe0U ? 3 : byte >= 0xc0U ? 2 : 1;
        return size > back ? back : 0;
    }
    return 0;
}

}  // namespace

TextStream::TextStream(std::vector<std::string> stop_strings)
    : stop_strings_(std::move(stop_strings)) {
    for (const std::string& stop : stop_strings_) MC_CHECK(!stop.empty(), "an empty stop string");
}

std::optional<TextStream::Match> TextStream::find_stop() const {
    std::optional<Match> first;
    for (const std::string& stop : stop_strings_) {
        const std::size_t begin = held_.find(stop);
        if (begin == std::string::npos) continue;
        const Match match{begin, begin + stop.size()};
        if (!first || std::pair(match.end, match.begin) < std::pair(first->end, first->begin))
            first = match;
    }
    return first;
}

std::size_t TextStream::undecided_suffix() const {
    std::size_t longest = 0;
    for (const std::string& stop : stop_strings_) {
        for (std::size_t size = std::min(stop.size() - 1, held_.size()); size > longest; --size)
            if (held_.ends_with(std::string_view(stop).substr(0, size))) longest = size;
    }
    return longest;
}

std::string TextStream::push(std::string_view bytes) {
    if (stopped_) return {};
    held_ += bytes;
    std::size_t ready = 0;
    if (const auto match = find_stop()) {
        stopped_ = true;
        held_.resize(match->begin);
        ready = held_.size();
    } else {
        ready = held_.size() - undecided_suffix();
        ready -= unfinished_suffix(std::string_view(held_).substr(0, ready));
    }
    std::string text = held_.substr(0, ready);
    held_.erase(0, ready);
    return text;
}

std::string TextStream::finish() {
    return std::exchange(held_, {});
}

}  // namespace mc::lm
