// SPDX-License-Identifier: Apache-2.0
#include "eval/delta_nll/document_gists.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "tree/read_window.h"

namespace mc::eval {

lm::Segment segment_of_gists(std::span<const Gist> gists) {
    std::vector<const Gist*> pointers;
    for (const Gist& gist : gists) pointers.push_back(&gist);
    return lm::Segment::of_gists(std::move(pointers));
}

DocumentGists::DocumentGists(Scorer& scorer, const Protocol& protocol, const DocumentPlan& document)
    : scorer_(scorer), protocol_(protocol), document_(document) {
    levels_.resize(protocol.options.levels);
    for (auto& level : levels_)
        level.assign(protocol.options.encoders.size(), ByWindow(document.windows.size()));
}

DocumentGists::ByWindow& DocumentGists::gists(std::size_t encoder, Level level) {
    return levels_[level.value - 1U][encoder];
}

std::span<const Gist> DocumentGists::level(std::size_t encoder, std::size_t window,
                                           Level level) const {
    MC_CHECK(level >= Level(1) && level.value <= levels_.size(), "no gists of that level are made");
    const auto& gists = levels_[level.value - 1U][encoder][window];
    MC_CHECK(!gists.empty(), "gists that were not made");
    return gists;
}

Result<void> DocumentGists::make(std::size_t window) {
    const std::size_t begin = window / kBatchWindows * kBatchWindows;
    const std::size_t end = std::min(begin + kBatchWindows, document_.windows.size());
    for (std::size_t e = 0; e < protocol_.options.encoders.size(); ++e) {
        if (!gists(e, Level(1))[begin].empty()) continue;
        MC_TRY(make_blocks(e, begin, end));
        for (Level level{2}; level.value <= levels_.size(); ++level.value)
            MC_TRY(make_parents(e, begin, end, level));
    }
    return {};
}

Result<void> DocumentGists::make_blocks(std::size_t encoder, std::size_t begin, std::size_t end) {
    const std::uint32_t context = gist_tokens(protocol_.options);
    std::vector<ReadWindow> windows;
    for (std::size_t w = begin; w < end; ++w)
        for (ReadWindow& read : read_windows(document_.windows[w], {0, context}))
            windows.push_back(std::move(read));
    MC_ASSIGN(auto made, scorer_.encode_windows(encoder, windows));
    MC_CHECK(made.size() == windows.size(), "an encoder returned another number of windows");
    const std::size_t per_context = windows.size() / (end - begin);
    ByWindow& blocks = gists(encoder, Level(1));
    for (std::size_t i = 0; i < made.size(); ++i)
        for (Gist& gist : made[i]) blocks[begin + i / per_context].push_back(std::move(gist));
    for (std::size_t w = begin; w < end; ++w)
        MC_CHECK(blocks[w].size() * kBlockSize == context,
                 "an encoder returned another number of gists");
    return {};
}

Result<void> DocumentGists::make_parents(std::size_t encoder, std::size_t begin, std::size_t end,
                                         Level level) {
    const ByWindow& children = gists(encoder, Level(level.value - 1));
    std::vector<SiblingGists> families;
    for (std::size_t w = begin; w < end; ++w) {
        const std::span<const Gist> of_window = children[w];
        for (std::size_t first = 0; first < of_window.size(); first += kBlockSize)
            families.push_back(of_window.subspan(first, kBlockSize));
    }
    MC_ASSIGN(auto parents, scorer_.encode_parents(encoder, families));
    MC_CHECK(parents.size() == families.size(), "an encoder returned another number of parents");
    const std::size_t per_window = families.size() / (end - begin);
    ByWindow& made = gists(encoder, level);
    for (std::size_t i = 0; i < parents.size(); ++i)
        made[begin + i / per_window].push_back(std::move(parents[i]));
    return {};
}

}  // namespace mc::eval
