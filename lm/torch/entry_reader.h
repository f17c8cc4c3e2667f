// SPDX-License-Identifier: Apache-2.0
// Segments → entries → forward passes: the shared path of Sequence and score_batch.
//
// A row is one sequence's entries in order; a batch holds rows of the same kinds in the same
// places. Gists are placed first, then every token and vector of the piece runs in one pass.
// Pointers in entries are borrowed from the segments. Letters: B rows, W hidden width.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lm/model/segment.h"
#include "lm/torch/torch_model.h"

namespace mc::lm {

enum class EntryKind : std::uint8_t { kToken, kVector, kGist };

struct Entry {
    EntryKind kind;
    TokenId token = 0;              // kToken
    const float* vector = nullptr;  // kVector: (W)
    const Gist* gist = nullptr;     // kGist
};

// Errors: kInvalidInput for an id outside the vocabulary and the byte tokens.
Result<void> check_token(TokenId token, const ModelConfig& config);

// Errors: kInvalidInput for a segment of two kinds, vectors of another width, token ids outside the
// vocabulary and byte tokens, or a gist of another shape.
Result<std::vector<Entry>> flatten_segments(std::span<const Segment> segments,
                                            const ModelConfig& config);

// Appends entries [begin, end) of every row to the cache, as many in flight as memory allows.
// Returns hidden states (B, n, W) of the tokens and vectors among them, in order; undefined when
// there are none. Requires: equal kinds across rows; the rows fit the model's context; the cache is
// of kind kPerLayer.
at::Tensor read_entries(const TorchModel& model, KvCache& cache,
                        std::span<const std::vector<Entry>> rows, std::size_t begin,
                        std::size_t end);

}  // namespace mc::lm
