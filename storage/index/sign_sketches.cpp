// SPDX-License-Identifier: Apache-2.0
#include "storage/index/sign_sketches.h"

#include <bit>

#include "core/check.h"

namespace mc::storage {
namespace {

struct SketchRows {
    const std::uint64_t* rows;
    std::size_t count;
    std::size_t words_each;
};

inline void count_differences(const SketchRows& sketches, const std::uint64_t* query,
                              std::uint16_t* out) {
    const std::uint64_t* row = sketches.rows;
    for (std::size_t i = 0; i < sketches.count; ++i, row += sketches.words_each) {
        int bits = 0;
        for (std::size_t w = 0; w < sketches.words_each; ++w)
            bits += std::popcount(row[w] ^ query[w]);
        out[i] = static_cast<std::uint16_t>(bits);
    }
}

#if defined(__x86_64__)
// The same loop where the processor counts bits in one instruction.
__attribute__((target("popcnt"))) void count_differences_popcnt(const SketchRows& sketches,
                                                                const std::uint64_t* query,
                                                                std::uint16_t* out) {
    const std::uint64_t* row = sketches.rows;
    for (std::size_t i = 0; i < sketches.count; ++i, row += sketches.words_each) {
        long long bits = 0;
        for (std::size_t w = 0; w < sketches.words_each; ++w)
            bits += __builtin_popcountll(row[w] ^ query[w]);
        out[i] = static_cast<std::uint16_t>(bits);
    }
}
#endif

}  // namespace

SignSketches::SignSketches(std::uint32_t dim) : words_each_((dim + 63) / 64) {
    MC_CHECK(dim > 0 && dim <= UINT16_MAX, "a width whose differences fit 16 bits");
}

void SignSketches::add(std::span<const std::uint64_t> signs) {
    MC_CHECK(signs.size() == words_each_, "a sketch of another width");
    words_.insert(words_.end(), signs.begin(), signs.end());
}

void SignSketches::remove(std::size_t position) {
    const std::size_t last = size() - 1;
    for (std::size_t w = 0; w < words_each_; ++w)
        words_[position * words_each_ + w] = words_[last * words_each_ + w];
    words_.resize(last * words_each_);
}

std::vector<std::uint16_t> SignSketches::differences(std::span<const std::uint64_t> query) const {
    MC_CHECK(query.size() == words_each_, "a sketch of another width");
    std::vector<std::uint16_t> out(size());
    const SketchRows sketches{words_.data(), out.size(), words_each_};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("popcnt")) {
        count_differences_popcnt(sketches, query.data(), out.data());
        return out;
    }
#endif
    count_differences(sketches, query.data(), out.data());
    return out;
}

}  // namespace mc::storage
