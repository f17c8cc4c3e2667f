// SPDX-License-Identifier: Apache-2.0
// Sums what pooling queries look at and what they add to a gist, block by block.
//
// Ownership: borrows the parameters. Threads: one. Errors: libtorch's exceptions pass.
#pragma once

#include <vector>

#include "gistnet/pooling/attention_pooler.h"
#include "gistnet/probes/gist_probes.h"

namespace mc::gistnet {

class PoolingTally {
  public:
    explicit PoolingTally(const LevelParameters& parameters);

    // positions (N, L, H, K, D), on the parameters' device.
    void add(const KeysValues& positions);

    // Means over all blocks so far and all heads, per layer. Requires: at least one block.
    std::vector<LayerPooling> result() const;

  private:
    at::Tensor shares(const at::Tensor& positions, const at::Tensor& weights,
                      const at::Tensor& map) const;

    const LevelParameters& parameters_;
    std::int64_t blocks_ = 0;
    at::Tensor entropy_;  // sums over blocks and heads: (L, J) f64 on the CPU
    at::Tensor key_share_;
    at::Tensor value_share_;
};

}  // namespace mc::gistnet
