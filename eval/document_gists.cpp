// SPDX-License-Identifier: Apache-2.0
#include "eval/document_gists.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"

namespace mc::eval {

lm::Segment segment_of_gists(std::span<const Gist> gists) {
    std::vector<const Gist*> pointers;
    for (const Gist& gist : gists) pointers.push_back(&gist);
    return lm::Segment::of_gists(std::move(pointers));
}

DocumentGists::DocumentGists(Scorer& scorer, const Protocol& protocol, const DocumentPlan& document)
    : scorer_(scorer), protocol_(protocol), document_(document) {
    level_one_.resize(protocol.options.encoders.size());
    level_two_.resize(protocol.options.encoders.size());
    for (auto* level : {&level_one_, &level_two_})
        for (ByWindow& windows : *level) windows.resize(document.windows.size());
}

std::span<const Gist> DocumentGists::level(std::size_t encoder, std::size_t window,
                                           Level level) const {
    MC_CHECK(level == Level(1) || level == Level(2), "no gists of that level are made");
    const auto& gists = (level == Level(1) ? level_one_ : level_two_)[encoder][window];
    MC_CHECK(!gists.empty(), "gists that were not made");
    return gists;
}

Result<void> DocumentGists::make(std::size_t window) {
    const std::size_t begin = window / kBatchWindows * kBatchWindows;
    const std::size_t end = std::min(begin + kBatchWindows, document_.windows.size());
    const std::uint32_t context = protocol_.options.context_tokens;
    std::vector<ReadWindow> windows;
    for (std::size_t w = begin; w < end; ++w) {
        const auto tokens = std::span(document_.windows[w]).first(context);
        windows.push_back({{tokens.begin(), tokens.end()}, 0});
    }
    for (std::size_t e = 0; e < level_one_.size(); ++e) {
        if (!level_one_[e][begin].empty()) continue;
        MC_ASSIGN(auto made, scorer_.encode_windows(e, windows));
        MC_CHECK(made.size() == windows.size(), "an encoder returned another number of windows");
        for (std::size_t w = begin; w < end; ++w) {
            MC_CHECK(made[w - begin].size() * kBlockSize == context,
                     "an encoder returned another number of gists");
            level_one_[e][w] = std::move(made[w - begin]);
        }
        if (protocol_.options.levels >= 2) MC_TRY(make_level_two(e, begin, end));
    }
    return {};
}

Result<void> DocumentGists::make_level_two(std::size_t encoder, std::size_t begin,
                                           std::size_t end) {
    std::vector<SiblingGists> families;
    for (std::size_t w = begin; w < end; ++w) {
        const std::span<const Gist> blocks = level_one_[encoder][w];
        for (std::size_t first = 0; first < blocks.size(); first += kBlockSize)
            families.push_back(blocks.subspan(first, kBlockSize));
    }
    MC_ASSIGN(auto parents, scorer_.encode_parents(encoder, families));
    MC_CHECK(parents.size() == families.size(), "an encoder returned another number of parents");
    const std::size_t per_window = families.size() / (end - begin);
    for (std::size_t i = 0; i < parents.size(); ++i)
        level_two_[encoder][begin + i / per_window].push_back(std::move(parents[i]));
    return {};
}

}  // namespace mc::eval
