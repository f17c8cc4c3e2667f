// SPDX-License-Identifier: Apache-2.0
// What one training step reads: chunks of documents, and cases that cut them into gists, raw tokens
// and a horizon, or runs of tokens at which attention is matched.
//
// A chunk is read once, raw: it gives the teacher's predictions everywhere and the keys and values
// of every block. Each case shows the student [BOS][gists of another chunk, perhaps][gists of the
// chunk's beginning, one block or more of it perhaps raw][horizon], so several cases share one
// reading, and the teacher has seen exactly the text that the case's own entries stand for. Steps
// differ in shape, so that one compressor serves a few gists and many, near text and far: chunks
// are of full, half or quarter length, and one step in four looks far ahead.
//
// A window holds much that does not matter to what follows, so some cases also show gists of the
// step's other chunks. When trained weights go on learning, most do, up to some number that differs
// from step to step, and of a bank of gists too, which these weights made of all the documents,
// earlier text of the chunk's own document among them; and one case in six is *neutral*: it shows
// foreign gists alone, and its teacher is the model that reads the horizon without them; half of
// these are in the form of a chat. Pure functions of seed and step, so that a resumed run goes on
// bit by bit. Value types.
#pragma once

#include <cstdint>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/span_math.h"
#include "gistnet/training/match_run.h"

namespace mc::gistnet {

// Tokens of the training documents, one list per document.
using TrainingText = std::vector<std::vector<TokenId>>;

struct CaseOptions {
    int level = 1;                      // that is trained: 1, or 2 on gists of level 1
    std::uint32_t context_blocks = 64;  // of the longest chunk: at level 2 a multiple of 32
    std::uint32_t horizon_tokens = 96;
    std::uint32_t chunks_per_step = 1;  // of the longest; twice as many of half the length
    std::uint32_t cases_per_step = 12;  // of the usual horizon
    std::uint64_t matching_steps = 0;   // first: attention matching, then distillation
    std::uint32_t runs_per_step = 24;
    std::uint64_t seed = 1;
    bool continues = false;  // from trained weights: smaller steps, neutral cases, log-mass
};

// What is the same for all chunks and cases of a step.
struct StepShape {
    std::uint32_t context_blocks = 0;
    std::uint32_t horizon_tokens = 0;

    std::uint64_t chunk_tokens() const {
        return std::uint64_t{context_blocks} * kBlockSize + horizon_tokens;
    }
};

struct Chunk {
    std::size_t document = 0;
    std::uint64_t begin = 0;  // token
};

// A gist among those of the step: block or parent `index` of chunk `chunk`.
struct GistRef {
    std::size_t chunk = 0;
    int level = 1;
    std::uint32_t index = 0;  // in its level, within the chunk
};

struct TrainingCase {
    std::size_t chunk = 0;
    std::vector<std::size_t> banked;  // places in StepPlan::banked, after BOS
    std::vector<GistRef> others;      // of other chunks, after these
    std::vector<GistRef> before;      // after these
    std::uint32_t raw_block = 0;      // first token / 32 of the raw block; only if has_raw
    std::vector<GistRef> after;       // between the raw block and the horizon
    std::uint32_t horizon_begin = 0;  // token of the chunk
};

// What a group's teacher has read before the horizon, and how the horizon is written.
enum class CaseKind {
    kRecall,   // the chunk up to the horizon
    kNeutral,  // nothing: the student's gists say nothing of the horizon
    kChat,     // the same; the horizon is a user's turn and the answer to it
};

// Cases of one layout and kind: all with a raw block and as many gists after it, or none with one.
struct CaseGroup {
    CaseKind kind = CaseKind::kRecall;
    bool has_raw = false;
    std::uint32_t gists_after_raw = 0;
    std::vector<TrainingCase> cases;
};

struct StepPlan {
    StepShape shape;
    std::vector<Chunk> chunks;
    std::vector<CaseGroup> groups;
    std::vector<std::uint32_t> banked;        // gists of the bank that cases show
    std::vector<std::vector<MatchRun>> runs;  // by chunk; of matching steps, instead of groups
};

// Errors: kInvalidInput when no document is as long as a chunk.
Result<void> check_training_text(const TrainingText& text, const CaseOptions& options);

// Runs of kBankRunBlocks blocks that the bank's gists are made of, ordered by document and place;
// gist i of the bank is block i % kBankRunBlocks of run i / kBankRunBlocks. Empty where there is no
// bank.
inline constexpr std::uint32_t kBankRunBlocks = 32;
std::vector<Chunk> plan_bank(const TrainingText& text, const CaseOptions& options);

// Tokens of the longest chunk of any step: context and horizon.
std::uint64_t longest_chunk(const CaseOptions& options);

// Requires: check_training_text passed.
StepPlan plan_step(const TrainingText& text, const CaseOptions& options, std::uint64_t step);

}  // namespace mc::gistnet
