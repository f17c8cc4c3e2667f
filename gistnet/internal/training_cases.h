// SPDX-License-Identifier: Apache-2.0
// What one training step reads: chunks of documents, and cases that cut them into gists, raw tokens
// and a horizon.
//
// A chunk is read once, raw: it gives the teacher's predictions everywhere and the keys and values
// of every block. Each case shows the student [BOS][gists of the chunk's beginning, one block or
// more of it perhaps raw][horizon], so several cases share one reading, and the teacher has seen
// exactly the text that the case's entries stand for. Pure functions of seed and step, so that a
// resumed run goes on bit by bit. Value types.
#pragma once

#include <cstdint>
#include <vector>

#include "core/ids.h"
#include "core/result.h"

namespace mc::gistnet {

// Tokens of the training documents, one list per document.
using TrainingText = std::vector<std::vector<TokenId>>;

struct CaseOptions {
    int level = 1;                      // that is trained: 1, or 2 on gists of level 1
    std::uint32_t context_blocks = 16;  // of a chunk: at level 2 a multiple of 32
    std::uint32_t horizon_tokens = 96;
    std::uint32_t chunks_per_step = 3;
    std::uint32_t cases_per_chunk = 4;
    std::uint64_t seed = 1;
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
    std::vector<GistRef> before;      // after BOS
    std::uint32_t raw_block = 0;      // first token / 32 of the raw block; only if has_raw
    std::vector<GistRef> after;       // between the raw block and the horizon
    std::uint32_t horizon_begin = 0;  // token of the chunk
};

// Cases of one layout: all with a raw block and as many gists after it, or none with one.
struct CaseGroup {
    bool has_raw = false;
    std::uint32_t gists_after_raw = 0;
    std::vector<TrainingCase> cases;
};

struct StepPlan {
    std::vector<Chunk> chunks;
    std::vector<CaseGroup> groups;
};

// Errors: kInvalidInput when no document is as long as a chunk.
Result<void> check_training_text(const TrainingText& text, const CaseOptions& options);

// Tokens of a chunk: context and horizon.
std::uint64_t chunk_tokens(const CaseOptions& options);

// Requires: check_training_text passed.
StepPlan plan_step(const TrainingText& text, const CaseOptions& options, std::uint64_t step);

}  // namespace mc::gistnet
