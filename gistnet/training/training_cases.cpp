// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/training_cases.h"

#include <algorithm>
#include <cmath>

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

// Every other chunk length is half of the one before; steps of shorter chunks read more of them.
constexpr std::uint32_t kChunkLengths = 3;

// One step in four has horizons of five times the length, where there is context to look back at.
constexpr std::uint32_t kLongHorizonOf = 4;
constexpr std::uint32_t kLongHorizonFactor = 5;
constexpr std::uint32_t kLongHorizonBlocks = 16;

// One case in four starts with up to so many gists of the step's other chunks, which say nothing of
// this one: windows hold much that does not matter. Where these are fewer they come again.
constexpr std::uint32_t kOthersOf = 4;
constexpr double kOthersMax = 256;

std::uint32_t least_blocks(const CaseOptions& options) {
    return options.level == 2 ? kBlock : 1;
}

bool may_look_far(std::uint32_t context_blocks) {
    return context_blocks >= kLongHorizonBlocks;
}

// Halvings of the chunk that leave it whole blocks, whole families at level 2.
std::uint32_t draw_halvings(const CaseOptions& options, Rng& rng) {
    std::uint32_t possible = 0;
    const std::uint32_t unit = options.level == 2 ? kBlock : 2;
    while (possible + 1 < kChunkLengths && (options.context_blocks >> (possible + 1)) % unit == 0 &&
           (options.context_blocks >> (possible + 1)) > 0)
        ++possible;
    return static_cast<std::uint32_t>(rng.below(possible + 1));
}

// Blocks of context of case `index` of `count` of a chunk: spread evenly over the chunk, jittered.
// At level 2 there is a whole family at least, and every other case ends with one.
std::uint32_t draw_blocks(const CaseOptions& options, std::uint32_t context_blocks,
                          std::uint32_t index, std::uint32_t count, Rng& rng) {
    const double share = (index + rng.uniform()) / count;
    if (options.level == 1)
        return std::min(static_cast<std::uint32_t>(share * context_blocks) + 1, context_blocks);
    const std::uint32_t families = context_blocks / kBlock;
    if (index % 2 == 0) return kBlock * (1 + static_cast<std::uint32_t>(rng.below(families)));
    return kBlock + static_cast<std::uint32_t>(share * (context_blocks - kBlock));
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

// Log-uniformly many.
std::vector<GistRef> draw_others(std::size_t chunk, const CaseOptions& options,
                                 const StepPlan& plan, Rng& rng) {
    const auto count = static_cast<std::size_t>(std::pow(kOthersMax, rng.uniform()));
    std::vector<GistRef> out;
    while (out.size() < count)
        for (std::size_t c = 1; c < plan.chunks.size(); ++c)
            for (const GistRef& gist :
                 cover((chunk + c) % plan.chunks.size(), options.level, plan.shape.context_blocks))
                if (out.size() < count) out.push_back(gist);
    return out;
}

void plan_cases(const CaseOptions& options, bool looks_far, StepPlan& plan, Rng& rng) {
    const auto chunks = static_cast<std::uint32_t>(plan.chunks.size());
    const std::uint32_t cases = options.cases_per_step / (looks_far ? kLongHorizonFactor : 1);
    const std::uint32_t per_chunk = std::max(1U, cases / chunks);
    CaseGroup plain;
    CaseGroup mixed;
    mixed.has_raw = true;
    mixed.gists_after_raw = static_cast<std::uint32_t>(rng.below(kGistsAfterRawMax + 1));
    for (std::size_t c = 0; c < chunks; ++c)
        for (std::uint32_t i = 0; i < per_chunk; ++i) {
            const std::uint32_t blocks =
                draw_blocks(options, plan.shape.context_blocks, i, per_chunk, rng);
            // A raw block needs a gist before it, or nothing is trained.
            const bool raw = rng.below(kRawCaseOf) == 0 &&
                             blocks >= least_blocks(options) + 1 + mixed.gists_after_raw;
            CaseGroup& group = raw ? mixed : plain;
            group.cases.push_back(make_case(c, options, blocks, group));
            if (chunks > 1 && rng.below(kOthersOf) == 0)
                group.cases.back().others = draw_others(c, options, plan, rng);
        }
    for (CaseGroup* group : {&plain, &mixed})
        if (!group->cases.empty()) plan.groups.push_back(std::move(*group));
}

// Half of the runs follow their gists at once, the others after raw blocks, log-uniformly up to 16.
MatchRun draw_run(const CaseOptions& options, const StepShape& shape, std::uint32_t index,
                  std::uint32_t count, Rng& rng) {
    constexpr double kRawBlocksEnd = 17;
    const std::uint32_t blocks = draw_blocks(options, shape.context_blocks, index, count, rng);
    std::uint64_t first = std::uint64_t{blocks} * kBlock;
    if (rng.below(2) == 0)
        first += kBlock * static_cast<std::uint64_t>(std::pow(kRawBlocksEnd, rng.uniform()) - 1) +
                 rng.below(kBlock);
    MatchRun run;
    run.families = options.level == 2 ? blocks / kBlock : 0;
    run.blocks = blocks;
    run.count = std::min(kBlock, shape.horizon_tokens);
    run.first = std::min(static_cast<std::int64_t>(first),
                         static_cast<std::int64_t>(shape.chunk_tokens()) - run.count);
    return run;
}

void plan_runs(const CaseOptions& options, StepPlan& plan, Rng& rng) {
    const auto chunks = static_cast<std::uint32_t>(plan.chunks.size());
    const std::uint32_t per_chunk = std::max(1U, options.runs_per_step / chunks);
    plan.runs.resize(chunks);
    for (auto& runs : plan.runs)
        for (std::uint32_t i = 0; i < per_chunk; ++i)
            runs.push_back(draw_run(options, plan.shape, i, per_chunk, rng));
}

}  // namespace

std::uint64_t longest_chunk(const CaseOptions& options) {
    const bool far = may_look_far(options.context_blocks);
    return StepShape{options.context_blocks,
                     options.horizon_tokens * (far ? kLongHorizonFactor : 1)}
        .chunk_tokens();
}

Result<void> check_training_text(const TrainingText& text, const CaseOptions& options) {
    const std::uint64_t tokens = longest_chunk(options);
    for (const auto& document : text)
        if (document.size() >= tokens) return {};
    return fail(ErrorCode::kInvalidInput, "no training document has the " + std::to_string(tokens) +
                                              " tokens that one training text takes");
}

StepPlan plan_step(const TrainingText& text, const CaseOptions& options, std::uint64_t step) {
    Rng rng(options.seed * 0x9e3779b97f4a7c15ULL + step);
    StepPlan plan;
    const bool matches = step <= options.matching_steps;
    const std::uint32_t halvings = draw_halvings(options, rng);
    plan.shape.context_blocks = options.context_blocks >> halvings;
    const bool looks_far =
        !matches && rng.below(kLongHorizonOf) == 0 && may_look_far(plan.shape.context_blocks);
    plan.shape.horizon_tokens = options.horizon_tokens * (looks_far ? kLongHorizonFactor : 1);
    for (std::uint32_t c = 0; c < options.chunks_per_step << halvings; ++c)
        plan.chunks.push_back(draw_chunk(text, plan.shape.chunk_tokens(), rng));
    if (matches)
        plan_runs(options, plan, rng);
    else
        plan_cases(options, looks_far, plan, rng);
    return plan;
}

}  // namespace mc::gistnet
