// SPDX-License-Identifier: Apache-2.0
// An instruction as a few gists: context distillation into keys and values, for this instruction
// alone.
//
// The gists start as what the gist encoder makes of the instruction as a text. Descent then moves
// their keys and values so that the frozen model, which reads them where the instruction would
// stand and never the instruction itself, predicts of the lessons' answers what it predicts with
// the whole instruction: the mean KL divergence over the answers' tokens, Adam in f32, the rate
// falling to 0 along a half cosine. Nothing of the model moves. After Mu, Li, Goodman, "Learning to
// Compress Prompts with Gist Tokens" (2023), whose mask is what reading gists alone amounts to;
// there the model is trained to compress any instruction, here an instruction's own gists are.
// Deterministic: same arguments, same bits. Threads: one, with the model. Errors: kUsage for a
// model that TrainingPass does not know; kCancelled; kModel.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gistnet/macros/macro_lessons.h"
#include "tree/gist.h"
#include "tree/gist_encoder.h"

namespace mc::gistnet {

// The encoder reads an instruction in one window (tree/read_window.h).
inline constexpr std::uint32_t kInstructionTokensMax = 512;

// The instruction as a text, in count gists: it is repeated until it fills whole blocks, as many as
// it has or count where that is more; then neighbours are joined to their mean until count are
// left. Requires: 1 to kInstructionTokensMax tokens, 1 ≤ count ≤ kInstructionTokensMax /
// kBlockSize.
Result<std::vector<Gist>> start_of_macro(GistEncoder& encoder, std::span<const TokenId> instruction,
                                         std::uint32_t count);

// The gists that start_of_macro() joins nothing for.
std::uint32_t whole_blocks(std::size_t token_count);

struct DescentOptions {
    std::uint32_t steps = 24;
    std::uint32_t lessons_per_step = 4;
    double learning_rate = 0.03;  // of Adam: the most a number moves in one step
    std::uint64_t seed = 1;       // of the order of lessons
    bool measures = false;        // the divergences: two more readings of all lessons
    MacroProgress progress;
    const std::atomic<bool>* cancelled = nullptr;
};

struct MacroDescent {
    std::vector<Gist> gists;
    double divergence_before = 0;  // mean KL over the lessons' answers, nats; 0 where not measured
    double divergence_after = 0;
};

// Requires: gists and lessons, at least one each.
Result<MacroDescent> descend_macro(const lm::BaseModel& model, const lm::TurnFrame& frame,
                                   std::span<const TokenId> instruction,
                                   std::span<const Lesson> lessons, std::span<const Gist> start,
                                   const DescentOptions& options);

}  // namespace mc::gistnet
