// SPDX-License-Identifier: Apache-2.0
#include "storage/index/passage_vectors.h"

#include <algorithm>

#include "core/check.h"

namespace mc::storage {

PassageVectors::PassageVectors(const VectorCodec& codec, std::uint32_t dim)
    : codec_(codec), dim_(dim) {}

void PassageVectors::add(std::int64_t key, std::span<const std::byte> code) {
    MC_CHECK(code.size() == codec_.code_bytes(), "a code of another size");
    keys_.push_back(key);
    codes_.insert(codes_.end(), code.begin(), code.end());
}

void PassageVectors::remove(std::int64_t key) {
    // What goes is most often what came last.
    const auto from_back = std::find(keys_.rbegin(), keys_.rend(), key);
    if (from_back == keys_.rend()) return;
    const auto position = static_cast<std::size_t>(keys_.rend() - from_back) - 1;
    const std::size_t size = codec_.code_bytes();
    keys_[position] = keys_.back();
    std::copy_n(codes_.end() - static_cast<std::ptrdiff_t>(size), size,
                codes_.begin() + static_cast<std::ptrdiff_t>(position * size));
    keys_.pop_back();
    codes_.resize(codes_.size() - size);
}

std::vector<KeyScore> PassageVectors::search(std::span<const float> query, std::size_t count,
                                             std::span<const KeyRange> ranges) const {
    MC_CHECK(query.size() == dim_, "a query of another width");
    const auto scorer = codec_.scorer(query);
    const std::size_t size = codec_.code_bytes();
    std::vector<KeyScore> hits;
    hits.reserve(keys_.size());
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        const bool asked =
            ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](const KeyRange& range) {
                return range.contains(keys_[i]);
            });
        if (asked) hits.push_back({keys_[i], scorer->score(&codes_[i * size])});
    }
    const std::size_t kept = std::min(count, hits.size());
    std::partial_sort(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(kept), hits.end(),
                      [](const KeyScore& a, const KeyScore& b) {
                          return a.score != b.score ? a.score > b.score : a.key > b.key;
                      });
    hits.resize(kept);
    return hits;
}

}  // namespace mc::storage
