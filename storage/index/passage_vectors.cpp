// SPDX-License-Identifier: Apache-2.0
#include "storage/index/passage_vectors.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"

namespace mc::storage {
namespace {

// Room for more hits than usual: each stands for so many that are compared.
constexpr std::size_t kComparedForEachHit = 16;

// The least number of differences within which there are so many as are to be kept.
std::size_t greatest_kept(const std::vector<std::size_t>& counts, std::size_t kept) {
    std::size_t most = 0;
    for (std::size_t within = counts[0]; within < kept && most + 1 < counts.size();)
        within += counts[++most];
    return most;
}

}  // namespace

PassageVectors::PassageVectors(const VectorCodec& codec, std::uint32_t dim)
    : codec_(codec), dim_(dim), sketches_(dim) {}

void PassageVectors::add(std::int64_t key, std::span<const std::byte> code) {
    MC_CHECK(code.size() == codec_.code_bytes(), "a code of another size");
    keys_.push_back(key);
    codes_.insert(codes_.end(), code.begin(), code.end());
    std::vector<std::uint64_t> signs(sketches_.words_each());
    codec_.signs(code.data(), signs);
    sketches_.add(signs);
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
    sketches_.remove(position);
}

std::vector<std::size_t> PassageVectors::positions_in(std::span<const KeyRange> ranges) const {
    std::vector<std::size_t> positions;
    if (ranges.empty()) {
        positions.resize(keys_.size());
        std::iota(positions.begin(), positions.end(), std::size_t{0});
        return positions;
    }
    std::vector<KeyRange> sorted(ranges.begin(), ranges.end());
    std::sort(sorted.begin(), sorted.end(),
              [](const KeyRange& a, const KeyRange& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        const auto after = std::upper_bound(
            sorted.begin(), sorted.end(), keys_[i],
            [](std::int64_t key, const KeyRange& range) { return key < range.first; });
        if (after != sorted.begin() && (after - 1)->contains(keys_[i])) positions.push_back(i);
    }
    return positions;
}

std::vector<std::uint16_t> PassageVectors::differences(std::span<const float> query) const {
    std::vector<std::uint64_t> signs(sketches_.words_each());
    set_signs(query, signs);
    return sketches_.differences(signs);
}

// Leaves about as many positions as are to be kept, and all that agree as well as the last of them.
void PassageVectors::keep_most_alike(std::span<const float> query, std::size_t kept,
                                     std::vector<std::size_t>& positions) const {
    const auto each = differences(query);
    std::vector<std::size_t> counts(dim_ + 1);
    for (const std::size_t position : positions) ++counts[each[position]];
    const std::size_t most = greatest_kept(counts, kept);
    std::erase_if(positions, [&](std::size_t position) { return each[position] > most; });
}

// The same among all, without a list of all.
std::vector<std::size_t> PassageVectors::most_alike(std::span<const float> query,
                                                    std::size_t kept) const {
    const auto each = differences(query);
    std::vector<std::size_t> counts(dim_ + 1);
    for (const std::uint16_t one : each) ++counts[one];
    const std::size_t most = greatest_kept(counts, kept);
    std::vector<std::size_t> positions;
    positions.reserve(2 * kept);
    for (std::size_t i = 0; i < each.size(); ++i)
        if (each[i] <= most) positions.push_back(i);
    return positions;
}

std::vector<KeyScore> PassageVectors::search(std::span<const float> query, std::size_t count,
                                             std::span<const KeyRange> ranges) const {
    MC_CHECK(query.size() == dim_, "a query of another width");
    const std::size_t compared = std::max(kExactVectorsMax, count * kComparedForEachHit);
    std::vector<std::size_t> positions;
    if (ranges.empty() && keys_.size() > compared) {
        positions = most_alike(query, compared);
    } else {
        positions = positions_in(ranges);
        if (positions.size() > compared) keep_most_alike(query, compared, positions);
    }
    const auto scorer = codec_.scorer(query);
    const std::size_t size = codec_.code_bytes();
    std::vector<KeyScore> hits;
    hits.reserve(positions.size());
    for (const std::size_t position : positions)
        hits.push_back({keys_[position], scorer->score(&codes_[position * size])});
    const std::size_t kept = std::min(count, hits.size());
    std::partial_sort(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(kept), hits.end(),
                      [](const KeyScore& a, const KeyScore& b) {
                          return a.score != b.score ? a.score > b.score : a.key > b.key;
                      });
    hits.resize(kept);
    return hits;
}

}  // namespace mc::storage
