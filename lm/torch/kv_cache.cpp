// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/kv_cache.h"

#include <algorithm>
#include <string>

#include "core/check.h"

namespace mc::lm {

KvCache::KvCache(const ModelConfig& config, std::int64_t batch, at::TensorOptions options,
                 CacheKind kind)
    : batch_(batch),
      kv_heads_(config.kv_head_count),
      head_dim_(config.head_dim),
      length_max_(config.context_length),
      options_(options),
      kind_(kind),
      keys_(kind == CacheKind::kPerLayer ? config.layer_count : 1),
      values_(keys_.size()) {}

void KvCache::reserve(std::int64_t length) {
    MC_CHECK(length <= length_max_,
             "reserve beyond the model's context: " + std::to_string(length));
    if (length <= capacity_) return;
    // The first reservation is exact: most caches are filled once.
    const std::int64_t capacity =
        capacity_ == 0 ? length : std::min(std::max(length, capacity_ * 2), length_max_);
    const auto grow = [&](at::Tensor& buffer) {
        at::Tensor larger = at::empty({batch_, kv_heads_, capacity, head_dim_}, options_);
        if (length_ > 0) larger.narrow(2, 0, length_).copy_(buffer.narrow(2, 0, length_));
        buffer = std::move(larger);
    };
    for (at::Tensor& buffer : keys_) grow(buffer);
    for (at::Tensor& buffer : values_) grow(buffer);
    capacity_ = capacity;
}

void KvCache::set_length(std::int64_t length) {
    MC_CHECK(length >= 0 && length <= capacity_, "cache length " + std::to_string(length));
    length_ = length;
}

}  // namespace mc::lm
