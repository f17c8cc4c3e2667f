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
    if (log_mass_.defined()) {
        const c10::InferenceMode no_inference(false);
        // Whole: an append under way may have written behind the length.
        const at::Tensor larger =
            at::zeros({log_mass_.size(0), batch_, kv_heads_, capacity}, log_mass_.options());
        larger.narrow(3, 0, capacity_).copy_(log_mass_);
        log_mass_ = larger;
    }
    capacity_ = capacity;
}

void KvCache::need_log_mass() {
    MC_CHECK(kind_ == CacheKind::kPerLayer, "a single pass holds no gists");
    if (log_mass_.defined()) return;
    // Not a tensor of inference mode: set_length() changes it outside of that too.
    const c10::InferenceMode no_inference(false);
    log_mass_ = at::zeros({static_cast<std::int64_t>(keys_.size()), batch_, kv_heads_, capacity_},
                          options_.dtype(at::kFloat));
}

void KvCache::set_log_mass(const at::Tensor& positions, const at::Tensor& log_mass) {
    need_log_mass();
    log_mass_.index_copy_(3, positions, log_mass.permute({2, 0, 3, 1}));
}

at::Tensor KvCache::copy_log_mass(std::int64_t begin, std::int64_t end) const {
    return log_mass_.defined() ? log_mass_.narrow(3, begin, end - begin).clone() : at::Tensor();
}

void KvCache::write_log_mass(const at::Tensor& copy, std::int64_t begin) {
    if (!copy.defined()) return;
    need_log_mass();
    log_mass_.narrow(3, begin, copy.size(3)).copy_(copy);
}

void KvCache::set_length(std::int64_t length) {
    MC_CHECK(length >= 0 && length <= capacity_, "cache length " + std::to_string(length));
    if (log_mass_.defined() && length <= length_)
        log_mass_.narrow(3, length, capacity_ - length).zero_();
    length_ = length;
}

}  // namespace mc::lm
