// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/training_cases.h"

#include <algorithm>
#include <cmath>
#include <map>

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

// From the start, one case in four begins with up to so many gists of the step's other chunks,
// which say nothing of this one: windows hold much that does not matter. Where these are fewer they
// come again.
constexpr std::uint32_t kFirstOthersOf = 4;
constexpr double kFirstOthersMax = 256;

// When trained weights go on, three cases in four show gists of other texts: up to so many,
// log-uniform over steps, so that a step's cases are of like length.
constexpr std::uint32_t kWithoutOthersOf = 4;
constexpr double kOthersMin = 8;
constexpr double kOthersMax = 400;
// One case in so many is neutral; every second of these is a chat.
constexpr std::uint32_t kNeutralOf = 6;
// Of the gists of other texts, at least this share is of the step's chunks, which learn.
constexpr double kFreshShare = 0.3;
constexpr std::uint32_t kBankRunsPerDocument = 2;

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
std::vector<GistRef> draw_first_others(std::size_t chunk, const CaseOptions& options,
                                       const StepPlan& plan, Rng& rng) {
    const auto count = static_cast<std::size_t>(std::pow(kFirstOthersMax, rng.uniform()));
    std::vector<GistRef> out;
    while (out.size() < count)
        for (std::size_t c = 1; c < plan.chunks.size(); ++c)
            for (const GistRef& gist :
                 cover((chunk + c) % plan.chunks.size(), options.level, plan.shape.context_blocks))
                if (out.size() < count) out.push_back(gist);
    return out;
}

// The gists of other texts that cases of one step show when trained weights go on.
class OtherTexts {
  public:
    OtherTexts(const TrainingText& text, const CaseOptions& options, StepPlan& plan, Rng& rng)
        : options_(options), plan_(plan), rng_(rng), bank_(plan_bank(text, options)) {
        if (options.continues)
            count_max_ = kOthersMin * std::pow(kOthersMax / kOthersMin, rng.uniform());
    }

    // Between half and all of the step's number: from the bank other documents, then what stands
    // before the chunk in its own, then other chunks of the step.
    void draw(TrainingCase& one, CaseKind kind) {
        const auto count = static_cast<std::size_t>(count_max_ * (0.5 + 0.5 * rng_.uniform()));
        std::vector<GistRef> fresh;
        for (std::size_t c = 1; c < plan_.chunks.size(); ++c)
            for (const GistRef& gist : cover((one.chunk + c) % plan_.chunks.size(), options_.level,
                                             plan_.shape.context_blocks))
                fresh.push_back(gist);
        const auto wanted =
            bank_.empty()
                ? count
                : static_cast<std::size_t>(static_cast<double>(count) *
                                           (kFreshShare + (1 - kFreshShare) * rng_.uniform()));
        fresh.resize(std::min(fresh.size(), wanted));
        one.others = std::move(fresh);
        if (!bank_.empty()) draw_banked(one, kind, count - one.others.size());
    }

    bool available() const {
        return options_.continues && (plan_.chunks.size() > 1 || !bank_.empty());
    }

  private:
    void draw_banked(TrainingCase& one, CaseKind kind, std::size_t count) {
        const Chunk& chunk = plan_.chunks[one.chunk];
        std::vector<std::size_t> own;
        std::vector<std::size_t> foreign;
        for (std::size_t r = 0; r < bank_.size(); ++r) {
            constexpr std::uint64_t kRunTokens = std::uint64_t{kBankRunBlocks} * kBlock;
            if (bank_[r].document != chunk.document)
                foreign.push_back(r);
            else if (bank_[r].begin + kRunTokens <= chunk.begin)
                own.push_back(r);
        }
        const bool shows_own = kind == CaseKind::kRecall && rng_.below(2) == 0;
        const std::size_t own_count =
            shows_own ? std::min<std::size_t>(count, own.size() * kBankRunBlocks) : 0;
        add_runs(foreign, count - own_count, one);
        add_runs(own, own_count, one);
    }

    // The last `count` gists of runs, one after the other, from a drawn one on.
    void add_runs(const std::vector<std::size_t>& runs, std::size_t count, TrainingCase& one) {
        if (runs.empty()) return;
        const std::size_t first = rng_.below(runs.size());
        const std::size_t available = runs.size() * kBankRunBlocks;
        for (std::size_t i = 0; i < std::min(count, available); ++i) {
            const std::size_t run = runs[(first + i / kBankRunBlocks) % runs.size()];
            one.banked.push_back(
                place_of(static_cast<std::uint32_t>(run * kBankRunBlocks + i % kBankRunBlocks)));
        }
    }

    // In StepPlan::banked, where it is put when it is not there yet.
    std::size_t place_of(std::uint32_t gist) {
        const auto [found, is_new] = places_.try_emplace(gist, plan_.banked.size());
        if (is_new) plan_.banked.push_back(gist);
        return found->second;
    }

    const CaseOptions& options_;
    StepPlan& plan_;
    Rng& rng_;
    std::vector<Chunk> bank_;
    double count_max_ = 0;
    std::map<std::uint32_t, std::size_t> places_;
};

// A case whose gists say nothing of its horizon.
TrainingCase make_neutral_case(std::size_t chunk, std::uint32_t blocks) {
    TrainingCase out;
    out.chunk = chunk;
    out.horizon_begin = blocks * kBlock;
    return out;
}

void plan_cases(const TrainingText& text, const CaseOptions& options, bool looks_far,
                StepPlan& plan, Rng& rng) {
    const auto chunks = static_cast<std::uint32_t>(plan.chunks.size());
    const std::uint32_t cases = options.cases_per_step / (looks_far ? kLongHorizonFactor : 1);
    const std::uint32_t per_chunk = std::max(1U, cases / chunks);
    CaseGroup plain;
    CaseGroup mixed;
    CaseGroup neutral;
    CaseGroup chat;
    neutral.kind = CaseKind::kNeutral;
    chat.kind = CaseKind::kChat;
    mixed.has_raw = true;
    mixed.gists_after_raw = static_cast<std::uint32_t>(rng.below(kGistsAfterRawMax + 1));
    OtherTexts others(text, options, plan, rng);
    const bool has_others = others.available();
    for (std::size_t c = 0; c < chunks; ++c)
        for (std::uint32_t i = 0; i < per_chunk; ++i) {
            const std::uint32_t blocks =
                draw_blocks(options, plan.shape.context_blocks, i, per_chunk, rng);
            if (has_others && rng.below(kNeutralOf) == 0) {
                CaseGroup& group = rng.below(2) == 0 ? neutral : chat;
                group.cases.push_back(make_neutral_case(c, blocks));
                others.draw(group.cases.back(), group.kind);
                continue;
            }
            // A raw block needs a gist before it, or nothing is trained.
            const bool raw = rng.below(kRawCaseOf) == 0 &&
                             blocks >= least_blocks(options) + 1 + mixed.gists_after_raw;
            CaseGroup& group = raw ? mixed : plain;
            group.cases.push_back(make_case(c, options, blocks, group));
            if (has_others && rng.below(kWithoutOthersOf) != 0)
                others.draw(group.cases.back(), group.kind);
            if (!options.continues && chunks > 1 && rng.below(kFirstOthersOf) == 0)
                group.cases.back().others = draw_first_others(c, options, plan, rng);
        }
    for (CaseGroup* group : {&plain, &mixed, &neutral, &chat})
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

std::vector<Chunk> plan_bank(const TrainingText& text, const CaseOptions& options) {
    std::vector<Chunk> out;
    if (!options.continues) return out;
    constexpr std::uint64_t kRunTokens = std::uint64_t{kBankRunBlocks} * kBlock;
    Rng rng(options.seed * 0x9e3779b97f4a7c15ULL);
    for (std::size_t d = 0; d < text.size(); ++d) {
        std::vector<std::uint64_t> begins;
        for (std::uint32_t r = 0; r < kBankRunsPerDocument && text[d].size() >= kRunTokens; ++r)
            begins.push_back(rng.below(text[d].size() - kRunTokens + 1));
        std::ranges::sort(begins);
        for (const std::uint64_t begin : begins) out.push_back({d, begin});
    }
    return out;
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
        plan_cases(text, options, looks_far, plan, rng);
    return plan;
}

}  // namespace mc::gistnet
