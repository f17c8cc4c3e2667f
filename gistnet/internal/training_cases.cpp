// SPDX-License-Identifier: Apache-2.0
#include "gistnet/internal/training_cases.h"

#include <algorithm>

#include "core/check.h"
#include "core/rng.h"
#include "core/span_math.h"

namespace mc::gistnet {
namespace {

constexpr auto kBlock = static_cast<std::uint32_t>(kBlockSize);

// One case in six shows a block raw, with up to this many gists between it and the horizon.
constexpr std::uint32_t kRawCaseOf = 6;
constexpr std::uint32_t kGistsAfterRawMax = 3;

// Chunk starts are drawn over all places where a chunk fits.
Chunk draw_chunk(const TrainingText& text, std::uint64_t tokens, Rng& rng) {
    std::uint64_t places = 0;
    for (const auto& document : text)
        if (document.size() >= tokens) places += document.size() - tokens + 1;
    std::uint64_t place = rng.below(places);
    for (std::size_t d = 0; d < text.size(); ++d) {
        if (text[d].size() < tokens) continue;
        const std::uint64_t here = text[d].size() - tokens + 1;
        if (place < here) return {d, place};
        place -= here;
    }
    MC_CHECK(false, "a place beyond the text");
    return {};
}

// Level 1: the gists of blocks [0, blocks). Level 2: whole families as their parents, the rest as
// blocks.
std::vector<GistRef> cover(std::size_t chunk, int level, std::uint32_t blocks) {
    std::vector<GistRef> out;
    std::uint32_t block = 0;
    if (level == 2)
        for (; block + kBlock <= blocks; block += kBlock) out.push_back({chunk, 2, block / kBlock});
    for (; block < blocks; ++block) out.push_back({chunk, 1, block});
    return out;
}

// Blocks of context of case `index` of a chunk: spread evenly over the chunk, jittered. At level 2
// there is a whole family at least, and every other case ends with one.
std::uint32_t draw_blocks(const CaseOptions& options, std::uint32_t index, Rng& rng) {
    const double share = (index + rng.uniform()) / options.cases_per_chunk;
    if (options.level == 1) {
        const auto blocks = static_cast<std::uint32_t>(share * options.context_blocks) + 1;
        return std::min(blocks, options.context_blocks);
    }
    const std::uint32_t families = options.context_blocks / kBlock;
    if (index % 2 == 0) return kBlock * (1 + static_cast<std::uint32_t>(rng.below(families)));
    const std::uint32_t range = options.context_blocks - kBlock;
    return kBlock + static_cast<std::uint32_t>(share * range);
}

TrainingCase make_case(std::size_t chunk, const CaseOptions& options, std::uint32_t blocks,
                       const CaseGroup& group) {
    TrainingCase out;
    out.chunk = chunk;
    out.horizon_begin = blocks * kBlock;
    if (!group.has_raw) {
        out.before = cover(chunk, options.level, blocks);
        return out;
    }
    const std::uint32_t raw = blocks - 1 - group.gists_after_raw;
    out.before = cover(chunk, options.level, raw);
    out.raw_block = raw;
    for (std::uint32_t b = raw + 1; b < blocks; ++b) out.after.push_back({chunk, 1, b});
    return out;
}

}  // namespace

std::uint64_t chunk_tokens(const CaseOptions& options) {
    return std::uint64_t{options.context_blocks} * kBlock + options.horizon_tokens;
}

Result<void> check_training_text(const TrainingText& text, const CaseOptions& options) {
    const std::uint64_t tokens = chunk_tokens(options);
    for (const auto& document : text)
        if (document.size() >= tokens) return {};
    return fail(ErrorCode::kInvalidInput, "no training document has the " + std::to_string(tokens) +
                                              " tokens that one training text takes");
}

StepPlan plan_step(const TrainingText& text, const CaseOptions& options, std::uint64_t step) {
    Rng rng(options.seed * 0x9e3779b97f4a7c15ULL + step);
    StepPlan plan;
    for (std::uint32_t c = 0; c < options.chunks_per_step; ++c)
        plan.chunks.push_back(draw_chunk(text, chunk_tokens(options), rng));
    CaseGroup plain;
    CaseGroup mixed;
    mixed.has_raw = true;
    mixed.gists_after_raw = static_cast<std::uint32_t>(rng.below(kGistsAfterRawMax + 1));
    for (std::size_t c = 0; c < plan.chunks.size(); ++c)
        for (std::uint32_t i = 0; i < options.cases_per_chunk; ++i) {
            const std::uint32_t blocks = draw_blocks(options, i, rng);
            // A raw block needs a gist before it, or nothing is trained.
            const std::uint32_t least =
                (options.level == 2 ? kBlock : 1) + 1 + mixed.gists_after_raw;
            const bool raw = rng.below(kRawCaseOf) == 0 && blocks >= least;
            CaseGroup& group = raw ? mixed : plain;
            group.cases.push_back(make_case(c, options, blocks, group));
        }
    for (CaseGroup* group : {&plain, &mixed})
        if (!group->cases.empty()) plan.groups.push_back(std::move(*group));
    return plan;
}

}  // namespace mc::gistnet
