// SPDX-License-Identifier: Apache-2.0
// Keys (rotated), values and log-mass of every layer for a batch of equally long sequences.
//
// Buffers grow by doubling and are cut to a prefix for free. Two kinds: one buffer per layer, for
// sequences that are read again or that hold gists; or one buffer that all layers share, for a
// single pass over tokens alone, where a layer's keys are dead once the next layer starts. Log-mass
// takes memory once a gist that has one is placed.
// Not thread-safe. Letters: B batch, H KV heads, D head width.
#pragma once

#include <cstdint>
#include <vector>

#include "lm/model/model_config.h"
#include "lm/torch/torch_fence.h"

namespace mc::lm {

enum class CacheKind { kPerLayer, kSinglePass };

class KvCache {
  public:
    KvCache(const ModelConfig& config, std::int64_t batch, at::TensorOptions options,
            CacheKind kind);

    std::int64_t batch() const { return batch_; }

    CacheKind kind() const { return kind_; }

    std::int64_t length() const { return length_; }

    // Buffers: one when all layers share it.
    std::size_t layer_count() const { return keys_.size(); }

    // Makes room for length entries, keeping the present ones.
    void reserve(std::int64_t length);

    // Declares entries [0, length) written. Requires: length was reserved.
    void set_length(std::int64_t length);

    // Added to an entry's logits, in nats: (B, H, capacity) f32 of one layer; undefined while no
    // entry has one.
    at::Tensor log_mass(std::size_t layer) const {
        return log_mass_.defined() ? log_mass_.select(0, static_cast<std::int64_t>(layer))
                                   : at::Tensor();
    }

    // Of entries at positions (n) int64, which were reserved: (B, n, L, H). Requires: kPerLayer.
    void set_log_mass(const at::Tensor& positions, const at::Tensor& log_mass);

    // Of the entries [begin, end): (L, B, H, n), a copy; undefined while no entry has one.
    at::Tensor copy_log_mass(std::int64_t begin, std::int64_t end) const;
    // Such a copy, put at entries from begin on, which were reserved.
    void write_log_mass(const at::Tensor& copy, std::int64_t begin);

    // (B, H, capacity, D) of one layer.
    at::Tensor& keys(std::size_t layer) { return keys_[kind_ == CacheKind::kPerLayer ? layer : 0]; }

    at::Tensor& values(std::size_t layer) {
        return values_[kind_ == CacheKind::kPerLayer ? layer : 0];
    }

  private:
    void need_log_mass();

    std::int64_t batch_;
    std::int64_t kv_heads_;
    std::int64_t head_dim_;
    std::int64_t length_max_;
    at::TensorOptions options_;
    CacheKind kind_;
    std::int64_t length_ = 0;
    std::int64_t capacity_ = 0;
    std::vector<at::Tensor> keys_;
    std::vector<at::Tensor> values_;
    at::Tensor
        log_mass_;  // (L, B, H, capacity); 0 from length_ on but where an append is under way
};

}  // namespace mc::lm
