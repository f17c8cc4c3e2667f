// SPDX-License-Identifier: Apache-2.0
#include "eval/delta_nll.h"

#include "eval/base_model_scorer.h"
#include "eval/protocol.h"

namespace mc::eval {

Result<DeltaNllReport> run_delta_nll(const lm::BaseModel& model, const DeltaNllOptions& options,
                                     const SuiteProgressCallback& progress,
                                     const std::atomic<bool>* cancelled) {
    MC_ASSIGN(const auto scorer, BaseModelScorer::make(model, options.encoders));
    return run_delta_nll(*scorer, options, progress, cancelled);
}

}  // namespace mc::eval
