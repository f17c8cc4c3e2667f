// SPDX-License-Identifier: Apache-2.0
// How 32 keys and values become one: the compressor's core, on tensors of any device.
//
// Pure functions of their inputs, batched, differentiable: trained poolers fit the same port.
// Keys are before rotation. Letters: N blocks, L layers, H KV heads, K = 32 positions or children,
// D head width. Threads: const, free.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "lm/torch/torch_fence.h"

namespace mc::gistnet {

// Of positions or gists; only gists have a log-mass.
struct KeysValues {
    at::Tensor keys;
    at::Tensor values;
    at::Tensor log_mass = {};  // (N, L, H) or (N, L, H, K) f32, nats; undefined: 0 everywhere
};

// Positions by blocks: (B, L, H, blocks × K, D) → (B × blocks, L, H, K, D).
KeysValues blocks_of(const KeysValues& positions);

// Gists by families: (families × K, L, H, D) → (families, L, H, K, D).
KeysValues families_of(const KeysValues& gists);

class Pooler {
  public:
    virtual ~Pooler() = default;

    // The pooler's name in EncoderInfo: "kv-last (untrained)".
    virtual std::string name() const = 0;

    // Level 1: the block's positions (N, L, H, K, D) → (N, L, H, D), and log-mass.
    virtual KeysValues pool_block(const KeysValues& positions) const = 0;

    // Level n + 1: the 32 children's gists (N, L, H, K, D), log-mass (N, L, H, K) or undefined →
    // (N, L, H, D), and log-mass.
    virtual KeysValues pool_children(const KeysValues& children) const = 0;
};

// "kv-mean": the mean of the 32. "kv-last": the last of the 32, untouched. Null for another name.
std::unique_ptr<Pooler> make_untrained_pooler(const std::string& pooling);

}  // namespace mc::gistnet
