// SPDX-License-Identifier: Apache-2.0
// One level's training: chunks → teacher and gists → student cases → gradients → AdamW.
//
// Loss: 0.8 × KL to the model that reads the raw text (its 64 likeliest tokens and a bucket for the
// rest) + 0.2 × NLL, each token of the horizon weighted by how much the raw context helps it; in
// neutral cases to the model that reads the horizon alone, every token alike. A step depends on the
// parameters, the moments, the seed, its number and the bank alone; the bank is made by the
// parameters that a run starts from. Ranks share a step's groups of cases, or the chunks that it
// matches; each reads all chunks, and adds everybody's gradients in the order of the groups, so a
// step has the same bits whatever their number. Ownership: borrows model and text. Threads: one.
// Errors: libtorch's exceptions pass.
#pragma once

#include <cstdint>
#include <vector>

#include "gistnet/training/adamw.h"
#include "gistnet/training/attention_matching.h"
#include "gistnet/training/case_batch.h"
#include "lm/training/distillation.h"
#include "ranks/rank_group.h"

namespace mc::gistnet {

struct StepReport {
    double loss = 0;           // weighted, nats a scored token
    double divergence = 0;     // nats a scored token
    double nll = 0;            // nats a scored token
    double unexplained = 0;    // of matching steps: the layers' mean
    double gradient_norm = 0;  // before clipping
    double rate_factor = 0;    // of the schedule
    std::uint64_t scored_tokens = 0;
    std::uint64_t reader_positions = 0;  // forward and backward
    std::uint64_t read_positions = 0;    // forward alone: chunks, and horizons after nothing
};

// Everything that is known of one step's chunks before the student reads.
struct ChunkReading {
    at::Tensor hidden;             // (chunks, tokens + 1, W)
    KeysValues blocks;             // (chunks × blocks, L, H, K, D), in the compute dtype
    at::Tensor targets;            // (chunks, tokens) int64
    std::vector<MatchText> texts;  // by chunk; for matching steps
};

class Trainer {
  public:
    // levels: those that are trained already, and the one in training last. Reads the bank's text.
    Trainer(const lm::TorchModel& model, const TrainingText& text, const CaseOptions& options,
            std::vector<LevelParameters> levels);

    // Step number `step`, from 1, of total_steps. Errors: those of the group.
    Result<StepReport> step(std::uint64_t step, std::uint64_t total_steps, ranks::RankGroup& group);
    // Alone.
    StepReport step(std::uint64_t step, std::uint64_t total_steps);

    // Parameters and moments, for checkpoints; their tensors are this trainer's own.
    std::vector<LevelParameters>& levels() { return levels_; }

    std::vector<AdamSlot>& slots() { return slots_; }

    const std::vector<AdamSlot>& slots() const { return slots_; }

  private:
    Result<void> match(const StepPlan& plan, const ChunkReading& reading, const GistTable& table,
                       ranks::RankGroup& group, GistTable& gradient, StepReport& report) const;
    std::string match_chunk(const StepPlan& plan, const ChunkReading& reading,
                            const GistTable& table, std::size_t chunk) const;
    Result<void> distil(const StepPlan& plan, const ChunkReading& reading, const GistTable& table,
                        ranks::RankGroup& group, GistTable& gradient, StepReport& report) const;
    ChunkReading read_chunks(const StepPlan& plan, bool matches) const;
    void make_bank();
    KeysValues banked(const StepPlan& plan) const;
    at::Tensor read_alone(const at::Tensor& horizon_inputs) const;
    at::Tensor context_gains(const at::Tensor& horizon_inputs,
                             const lm::TeacherPrediction& teacher) const;
    std::string train_group(const CaseGroup& group, const StepShape& shape, double share,
                            const ChunkReading& reading, const GistTable& table,
                            std::int64_t bank_row) const;

    const lm::TorchModel& model_;
    const TrainingText& text_;
    CaseOptions options_;
    std::vector<LevelParameters> levels_;
    std::vector<AdamSlot> slots_;
    KeysValues bos_;   // (1, L, H, D) f32
    KeysValues bank_;  // (N, L, H, D) f16, log-mass f32; undefined without a bank
};

// Keys and values of a lone BOS, (1, L, H, D) f32, before rotation: what every row starts with.
KeysValues read_bos(const lm::TorchModel& model);

// Linear over the first steps, then a cosine to a twentieth.
double schedule(std::uint64_t step, std::uint64_t total_steps);

}  // namespace mc::gistnet
