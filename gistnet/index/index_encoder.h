// SPDX-License-Identifier: Apache-2.0
// How a block and a question get their index vectors: trained for the base model, or untrained.
//
// Works on what a reading pass leaves, so several can share one. Ownership: borrows the model.
// Threads: const; one at a time, with the model. Errors: libtorch's exceptions pass.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.h"
#include "lm/base_model.h"
#include "lm/torch/torch_model.h"

namespace mc::gistnet {

// What a trained index adds to the encoder's name.
inline constexpr std::string_view kTrainedIndexSuffix = " + index";

class IndexEncoder {
  public:
    virtual ~IndexEncoder() = default;

    // What it adds to the encoder's name: nothing when untrained.
    virtual std::string name_suffix() const = 0;

    // The same as the encoder's hash covers it.
    virtual std::string hashed_suffix() const { return name_suffix(); }

    // Of the weights' file; zero when untrained.
    virtual Hash128 parameters() const = 0;
    virtual std::uint32_t dim() const = 0;
    // Residual streams that block_vectors() needs of a pass, ascending.
    virtual const std::vector<std::int64_t>& layers() const = 0;
    // Whether it needs more of a pass than residual streams.
    virtual bool needs_hidden() const = 0;

    // (B × blocks, I) of the windows of a pass that kept steps from kept_begin on; tokens are those
    // of the kept steps, window by window. Residual streams beyond its own are passed over.
    virtual at::Tensor block_vectors(const lm::ReadOutput& read, std::int64_t kept_begin,
                                     std::span<const TokenId> tokens) const = 0;

    // (N, I) of texts that are read alone. Requires: none is empty or beyond the model's context.
    virtual at::Tensor text_vectors(std::span<const std::vector<TokenId>> texts) const = 0;
};

// "none": vectors of no number. "mean": the untrained one. "auto": the program's own weights when
// they fit the model, else "mean". Anything else: a file of trained weights. Cost: "mean" reads the
// calibration text. Errors: those of index_file.h; kModel.
Result<std::unique_ptr<IndexEncoder>> choose_index(const std::string& setting,
                                                   const lm::BaseModel& model);

}  // namespace mc::gistnet
