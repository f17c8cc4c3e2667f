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

// Row 0 is BOS; then every chunk's gists of level 1, then every chunk's of level 2, then those of
// the bank that the step shows. Keys and values (M, L, H, D), log-mass (M, L, H), f32; when it
// holds what is in training, autograd records it.
struct GistTable {
    at::Tensor keys;
    at::Tensor values;
    at::Tensor log_mass;

    // rows (B, P) int64 → (B, P, L, H, D) and (B, P, L, H), detached.
    lm::PlacedEntries lookup(const at::Tensor& rows) const;

    // Adds entries, as lookup() gives them, to the rows that they came from.
    void add(const at::Tensor& rows, const lm::PlacedEntries& entries);
};

GistTable zeros_like(const GistTable& table);

// blocks (chunks × blocks of a chunk, L, H, K, D); levels as Trainer has them: only the last one
// may want gradients. With two levels a chunk has whole families. banked: of the bank, as
// GistTable.
GistTable make_gist_table(const KeysValues& bos, const KeysValues& blocks,
                          const std::vector<LevelParameters>& levels, const KeysValues& banked);

struct CaseBatch {
    lm::PassLayout layout;
    at::Tensor gist_rows;  // (B, P) int64
    at::Tensor inputs;     // (B, T, W): raw block, then the horizon without its last token
    at::Tensor horizons;   // (B, horizon) int64: vocabulary ids
};

// targets (chunks, tokens) int64: the chunks' tokens as vocabulary ids. bank_row: of the table, the
// first of the bank's.
CaseBatch make_case_batch(const lm::TorchModel& model, const CaseGroup& group,
                          const StepShape& shape, const at::Tensor& targets, std::int64_t bank_row);

}  // namespace mc::gistnet
