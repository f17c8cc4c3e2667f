// SPDX-License-Identifier: Apache-2.0
// A quick look at how well gists stand in for text, on documents that training does not read.
//
// Windows [context][horizon] of each document; the model reads the context as nothing, raw, as its
// gists, and as the gists of another window of the same document. R and Rs as docs/evaluation.md
// defines them, over horizon tokens 2 to 64. For steering a training run: the suite delta-nll is
// what is reported.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gistnet/internal/attention_pooler.h"
#include "gistnet/internal/training_cases.h"
#include "lm/internal/torch_model.h"

namespace mc::gistnet {

struct HeldOutScore {
    double none = 0;  // mean NLL, nats
    double full = 0;
    double gists = 0;
    double shuffled = 0;

    double recovery() const { return (none - gists) / (none - full); }

    double recovery_over_shuffled() const { return (shuffled - gists) / (shuffled - full); }
};

class HeldOut {
  public:
    // Plans windows of context_blocks blocks. Errors: kInvalidInput for a document that is shorter
    // than windows_per_document of them.
    static Result<HeldOut> make(const lm::TorchModel& model, const TrainingText& documents,
                                std::uint32_t context_blocks, std::uint32_t windows_per_document);

    // One score per document: level 1 shows every block's gist, level 2 every family's.
    std::vector<HeldOutScore> score(const std::vector<LevelParameters>& levels) const;

  private:
    HeldOut(const lm::TorchModel& model, std::uint32_t context_blocks)
        : model_(&model), context_blocks_(context_blocks) {}

    HeldOutScore score_document(const std::vector<std::vector<TokenId>>& windows,
                                const std::vector<LevelParameters>& levels) const;

    const lm::TorchModel* model_;
    std::uint32_t context_blocks_;
    std::vector<std::vector<std::vector<TokenId>>> windows_;  // by document
};

}  // namespace mc::gistnet
