// SPDX-License-Identifier: Apache-2.0
// The files of a training run: checkpoint, log lines, and the identity that a resume must share.
//
// Errors: kInvalidInput for a checkpoint of another run; kCorruption for a log that is none;
// kModel; those of tensor_file.h and core/files.h.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/files.h"
#include "gistnet/training/held_out.h"
#include "gistnet/training/train_gistnet.h"
#include "gistnet/training/trainer.h"

namespace mc::gistnet {

struct RunState {
    std::uint64_t step = 0;         // done
    std::uint64_t total_steps = 0;  // 0: not yet known
    std::uint64_t positions = 0;    // forward and backward
    std::uint64_t milliseconds = 0;
};

// Writes parameters, moments and state, atomically. identity: everything that decides the numbers.
Result<void> save_checkpoint(const Path& path, const std::string& identity, const RunState& state,
                             const Trainer& trainer);

// Restores a trainer in place. A missing file leaves it and the state as they are.
Result<void> load_checkpoint(const Path& path, const std::string& identity, RunState& state,
                             Trainer& trainer);

// Gives all ranks what rank 0 has of the run. Errors: those of the group.
Result<void> share_state(ranks::RankGroup& group, RunState& state, Trainer& trainer);

// By parameter tensor: its name and ‖θ − θ_before‖ / ‖θ_before‖; those that were all zero, as
// log-mass is before it is trained, are left out.
using Drift = std::vector<std::pair<std::string, double>>;

// How far parameters moved from one evaluation to the next. Its memory is this process's alone: the
// first evaluation after a start or a resume has nothing to compare with.
class DriftMeter {
  public:
    // Empty at the first call.
    Drift measure(LevelParameters& level);

  private:
    std::vector<at::Tensor> before_;
};

// train.jsonl: one object per line, flushed as written. Opening cuts off lines of steps after the
// checkpoint, so that a resumed run's log has every step once.
class TrainLog {
  public:
    static Result<TrainLog> open(const Path& path, std::uint64_t last_step);

    Result<void> add_step(std::uint64_t step, const StepReport& report, double seconds);
    Result<void> add_evaluation(std::uint64_t step, std::uint64_t positions,
                                const std::vector<std::string>& documents,
                                const std::vector<HeldOutScore>& scores, const Drift& drift);

    // All evaluations so far, those of the run before a kill included.
    Result<std::vector<EvaluationPoint>> curve() const;

    // The log so far as a TensorBoard event file beside it.
    Result<void> write_events() const;

  private:
    explicit TrainLog(Path path) : path_(std::move(path)) {}

    Result<void> append(const std::string& line);

    Path path_;
};

}  // namespace mc::gistnet
