// SPDX-License-Identifier: Apache-2.0
// Trains one level of the compressor on documents, for any base model that it runs on.
//
// Leaves in the output folder: gistnet.safetensors (the weights, f16, with levels below),
// train.jsonl (a line per step and per evaluation, with each parameter's drift since the evaluation
// before), the same as a TensorBoard event file, and checkpoint.safetensors. A run that was killed
// goes on from its last checkpoint and ends with the same weights, bit for bit, on the same machine
// and thread count. The base model's weights are hashed before and after.
// A group of ranks trains as one: with the same bits as one process, a step's cases shared among
// them. Rank 0 alone evaluates and writes; the others get its checkpoint from it, so a run may go
// on with another number of ranks. All need the same documents, weights and options. Ownership:
// borrows everything for the call. Threads: one; `cancelled` may be set from a signal handler.
// Errors: kUsage for options that cannot be and for a model that training does not know;
// kInvalidInput for documents that are missing, too short or shared between training and
// evaluation, and for an output folder that holds another run; kCorruption for a train.jsonl that
// is none; kCancelled after a checkpoint; kModel, also when five steps in a row had no finite loss
// and gradient: the last checkpoint stays, of a sound step; kIo, also of the group: the last
// checkpoint stays; kOutOfSpace.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/files.h"
#include "core/result.h"

namespace mc::lm {
class BaseModel;
}

namespace mc::ranks {
class RankGroup;
}

namespace mc::gistnet {

struct TrainOptions {
    std::vector<Path> documents;
    std::vector<Path> evaluation_documents;
    Path output;  // a folder; made when missing
    int level = 1;
    Path level1_weights;  // for level 2: the file that holds level 1
    Path start_weights;   // whose level goes on learning, with their queries; empty: start anew
    // Of the steps, the first so many match attention; unset: a tenth, at most 80, and none from
    // weights.
    std::optional<std::uint64_t> matching_steps;
    std::uint64_t steps = 0;  // 0: as many as fit in minutes
    double minutes = 15;
    std::uint64_t seed = 1;
    std::uint32_t context_blocks = 0;   // of the longest training text; 0: 32, at level 2 64
    std::uint32_t chunks_per_step = 2;  // training texts of the longest kind
    std::uint32_t cases_per_step = 12;
    std::uint32_t pooling_queries = 4;
    std::uint32_t evaluate_every = 200;  // steps; and after an 8th, a 4th and half of so many
    std::uint32_t checkpoint_every = 50;
    std::string command_line;           // recorded in the weights' metadata
    ranks::RankGroup* group = nullptr;  // borrowed; null: one process
};

struct TrainProgress {
    std::uint64_t step = 0;
    std::uint64_t total_steps = 0;
    std::uint64_t positions = 0;  // forward and backward, since the run began
    double divergence = 0;        // running mean, nats
    std::string evaluation;       // when one was just made: a line for people
};

using TrainProgressCallback = std::function<void(const TrainProgress&)>;

struct EvaluationScore {
    std::string document;
    std::uint32_t context_blocks = 0;
    std::uint32_t horizon_tokens = 0;
    double recovery = 0;                // R
    double recovery_over_shuffled = 0;  // Rs
};

struct EvaluationPoint {
    std::uint64_t step = 0;
    std::uint64_t positions = 0;  // forward and backward, since the run began
    std::vector<EvaluationScore> scores;
};

struct TrainReport {
    Path weights_path;  // empty on ranks that write nothing
    std::uint64_t steps = 0;
    double positions_per_second = 0;  // forward and backward, of this process's steps
    // The last point is of the weights as they are; empty without evaluation documents.
    std::vector<EvaluationPoint> curve;
};

// progress may be empty and cancelled null.
Result<TrainReport> train_gistnet(const lm::BaseModel& model, const TrainOptions& options,
                                  const Clock& clock, const TrainProgressCallback& progress,
                                  const std::atomic<bool>* cancelled);

}  // namespace mc::gistnet
