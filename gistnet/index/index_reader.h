// SPDX-License-Identifier: Apache-2.0
// Index vectors of several kinds from one reading of a text: for measuring one against another.
//
// Knows nothing of gists. Ownership: borrows the base model. Threads: one at a time, with the
// model. Errors: kUsage for weights of another base model; kInvalidInput for a damaged file of
// weights and for a text that is empty or beyond the model's context; kModel.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/result.h"
#include "lm/base_model.h"
#include "tree/gist_encoder.h"

namespace mc::gistnet {

class IndexReader {
  public:
    // settings: as GistEncoderOptions::index, one for each kind.
    static Result<std::unique_ptr<IndexReader>> make(const lm::BaseModel& model,
                                                     const std::vector<std::string>& settings);
    virtual ~IndexReader() = default;

    struct Kind {
        std::uint32_t dim = 0;
        Hash128 parameters;  // zero when untrained
    };

    virtual const std::vector<Kind>& kinds() const = 0;

    // For each kind the vectors (blocks, I), row-major, of a window's new blocks.
    virtual Result<std::vector<std::vector<float>>> read_window(const ReadWindow& window) const = 0;

    // For each kind the vectors (texts, I), row-major, of texts that are read alone.
    virtual Result<std::vector<std::vector<float>>> read_texts(
        std::span<const std::vector<TokenId>> texts) const = 0;
};

}  // namespace mc::gistnet
