// SPDX-License-Identifier: Apache-2.0
// Cases → tensors: the gists of a step as one table, and rows of a pass that point into it.
//
// Letters: M gists of the table, B cases, P placed entries, L layers, H KV heads, D head width.
#pragma once

#include <vector>

#include "gistnet/pooling/attention_pooler.h"
#include "gistnet/training/training_cases.h"
#include "lm/training/training_pass.h"

namespace mc::gistnet {

// Row 0 is BOS; then every chunk's gists of level 1, then every chunk's of level 2. (M, L, H, D)
// f32; when it holds what is in training, autograd records it.
struct GistTable {
    at::Tensor keys;
    at::Tensor values;

    // rows (B, P) int64 → (B, P, L, H, D), detached.
    lm::PlacedEntries lookup(const at::Tensor& rows) const;

    // Adds entries (B, P, L, H, D) to the rows that they came from.
    void add(const at::Tensor& rows, const lm::PlacedEntries& entries);
};

GistTable zeros_like(const GistTable& table);

// blocks (chunks × blocks of a chunk, L, H, K, D); levels as Trainer has them: only the last one
// may want gradients. With two levels a chunk has whole families.
GistTable make_gist_table(const KeysValues& bos, const KeysValues& blocks,
                          const std::vector<LevelParameters>& levels);

struct CaseBatch {
    lm::PassLayout layout;
    at::Tensor gist_rows;  // (B, P) int64
    at::Tensor inputs;     // (B, T, W): raw block, then the horizon without its last token
};

// targets (chunks, tokens) int64: the chunks' tokens as vocabulary ids.
CaseBatch make_case_batch(const lm::TorchModel& model, const CaseGroup& group,
                          const StepShape& shape, const at::Tensor& targets);

}  // namespace mc::gistnet
