// SPDX-License-Identifier: Apache-2.0
// A quick look at how well gists stand in for text, on documents that training does not read.
//
// Windows [context][horizon] of each document; the model reads the context as nothing, raw, as its
// gists, and as the gists of another window of the same document. R and Rs as docs/evaluation.md
// defines them, over every horizon token but the first. For steering a training run: the suite
// delta-nll is what is reported.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/recovered_share.h"
#include "gistnet/pooling/attention_pooler.h"
#include "gistnet/training/training_cases.h"
#include "lm/torch/torch_model.h"

namespace mc::gistnet {

struct HeldOutShape {
    std::uint32_t context_blocks = 8;
    std::uint32_t horizon_tokens = 64;
    std::uint32_t windows = 32;  // of each document
};

struct HeldOutScore {
    std::size_t document = 0;
    HeldOutShape shape;
    double none = 0;  // mean NLL, nats
    double full = 0;
    double gists = 0;
    double shuffled = 0;

    double recovery() const { return recovered_share(none, gists, full); }

    double recovery_over_shuffled() const { return recovered_share(shuffled, gists, full); }

    // Of the gists of another window: below 0 is harm.
    double shuffled_recovery() const { return recovered_share(none, shuffled, full); }
};

class HeldOut {
  public:
    // Plans windows of every shape. Errors: kInvalidInput for a document that is too short for the
    // first shape; it goes without the others where it is too short for them.
    static Result<HeldOut> make(const lm::TorchModel& model, const TrainingText& documents,
                                const std::vector<HeldOutShape>& shapes);

    // One score per shape and document: level 1 shows every block's gist, level 2 every family's.
    std::vector<HeldOutScore> score(const std::vector<LevelParameters>& levels) const;

  private:
    struct Windows {
        std::size_t document = 0;
        HeldOutShape shape;
        std::vector<std::vector<TokenId>> tokens;  // context, then horizon
    };

    explicit HeldOut(const lm::TorchModel& model) : model_(&model) {}

    HeldOutScore score_windows(const Windows& windows,
                               const std::vector<LevelParameters>& levels) const;

    const lm::TorchModel* model_;
    std::vector<Windows> windows_;
};

}  // namespace mc::gistnet
