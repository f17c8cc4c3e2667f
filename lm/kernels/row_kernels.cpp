// SPDX-License-Identifier: Apache-2.0
#include "lm/kernels/row_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/check.h"
#include "lm/kernels/avx512_math.h"
#include "lm/kernels/panel_kernels.h"

namespace mc::lm {
namespace {

constexpr std::int64_t kQ40Bytes = 18;
constexpr std::int64_t kQ41Bytes = 20;
constexpr std::int64_t kQ80Bytes = 34;

std::uint16_t half_bits(const std::uint8_t* from) {
    std::uint16_t bits;
    std::memcpy(&bits, from, sizeof bits);
    return bits;
}

// -8 × a half, if a half can hold it.
bool times_minus_eight(std::uint16_t half, std::uint16_t& out) {
    const int exponent = (half >> 10) & 31;
    const bool is_zero = (half & 0x7fffU) == 0;
    out = static_cast<std::uint16_t>((half ^ 0x8000U) + (is_zero ? 0U : 3U << 10));
    return is_zero || (exponent >= 1 && exponent <= 27);
}

// Column k of a block goes to nibble (k / 2) % 4 of word 2 × row + k % 2 of vector k / 8.
void put_nibble(std::uint8_t* quants, std::int64_t row, std::int64_t k, unsigned nibble) {
    std::uint8_t* word = quants + k / 8 * 64 + (2 * row + k % 2) * 2;
    const auto shifted = static_cast<std::uint16_t>(nibble << (4 * (k / 2 % 4)));
    word[0] = static_cast<std::uint8_t>(word[0] | (shifted & 255U));
    word[1] = static_cast<std::uint8_t>(word[1] | (shifted >> 8));
}

void put_four(const std::uint8_t* from, std::int64_t row, std::uint8_t* quants) {
    for (std::int64_t i = 0; i < kBlockColumns / 2; ++i) {
        put_nibble(quants, row, i, from[i] & 15U);
        put_nibble(quants, row, i + kBlockColumns / 2, from[i] >> 4U);
    }
}

// Calls pack(block of a row, row, packed block) for 16 rows of blocks.
template <class Pack>
bool pack_blocks(const std::uint8_t* rows, std::int64_t columns, std::int64_t block_bytes,
                 std::int64_t packed_bytes, std::uint8_t* to, Pack pack) {
    const std::int64_t blocks = columns / kBlockColumns;
    std::fill_n(to, blocks * packed_bytes, std::uint8_t{0});
    for (std::int64_t row = 0; row < kPanelRows; ++row)
        for (std::int64_t b = 0; b < blocks; ++b)
            if (!pack(rows + (row * blocks + b) * block_bytes, row, to + b * packed_bytes))
                return false;
    return true;
}

}  // namespace

std::int64_t row_weight_bytes(RowFormat format, std::int64_t panel_count, std::int64_t columns) {
    if (format == RowFormat::kBf16) return panel_count * kPanelRows * columns * 2;
    return panel_count * (columns / kBlockColumns) *
           (format == RowFormat::kFour ? kFourBlockBytes : kEightBlockBytes);
}

bool pack_q4_0(const std::uint8_t* rows, std::int64_t columns, std::uint8_t* to) {
    const auto pack = [](const std::uint8_t* from, std::int64_t row, std::uint8_t* block) {
        const std::uint16_t scale = half_bits(from);
        std::uint16_t lowest = 0;
        if (!times_minus_eight(scale, lowest)) return false;
        put_four(from + 2, row, block);
        std::memcpy(block + 256 + 2 * row, &scale, 2);
        std::memcpy(block + 288 + 2 * row, &lowest, 2);
        return true;
    };
    return pack_blocks(rows, columns, kQ40Bytes, kFourBlockBytes, to, pack);
}

bool pack_q4_1(const std::uint8_t* rows, std::int64_t columns, std::uint8_t* to) {
    const auto pack = [](const std::uint8_t* from, std::int64_t row, std::uint8_t* block) {
        put_four(from + 4, row, block);
        std::memcpy(block + 256 + 2 * row, from, 2);
        std::memcpy(block + 288 + 2 * row, from + 2, 2);
        return true;
    };
    return pack_blocks(rows, columns, kQ41Bytes, kFourBlockBytes, to, pack);
}

// Column k goes to byte (k / 2) % 2 of word 2 × row + k % 2 of vector k / 4.
bool pack_q8_0(const std::uint8_t* rows, std::int64_t columns, std::uint8_t* to) {
    const auto pack = [](const std::uint8_t* from, std::int64_t row, std::uint8_t* block) {
        for (std::int64_t k = 0; k < kBlockColumns; ++k)
            block[k / 4 * 64 + (2 * row + k % 2) * 2 + k / 2 % 2] = from[2 + k];
        std::memcpy(block + 512 + 2 * row, from, 2);
        return true;
    };
    return pack_blocks(rows, columns, kQ80Bytes, kEightBlockBytes, to, pack);
}

#if MC_HAS_AVX512_BF16

namespace {

// bf16 bits of q for 16 quants, twice: a lookup takes five bits of an index, so the fifth may be
// anything.
struct Tables {
    alignas(64) Bf16Bits plain[32];  // 0 to 15
    alignas(64) Bf16Bits high[32];   // 16 × the signed upper half of a byte
};

constexpr Bf16Bits bits_of(float x) {
    return static_cast<Bf16Bits>(std::bit_cast<std::uint32_t>(x) >> 16);
}

constexpr Tables make_tables() {
    Tables out{};
    for (int i = 0; i < 32; ++i) {
        const int q = i % 16;
        out.plain[i] = bits_of(static_cast<float>(q));
        out.high[i] = bits_of(16.0F * static_cast<float>(q < 8 ? q : q - 16));
    }
    return out;
}

constexpr Tables kTables = make_tables();

MC_AVX512_INLINE __m512 halves(const std::uint8_t* from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}

MC_AVX512_INLINE __m512bh pair_of(const std::int32_t* words, std::int64_t k) {
    return as_bf16(_mm512_set1_epi32(words[k]));
}

MC_AVX512_INLINE __m512bh look_up(__m512i table, __m512i index) {
    return as_bf16(_mm512_permutexvar_epi16(index, table));
}

MC_AVX512_INLINE __m512 sum_of(const __m512 (&sums)[4]) {
    return _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]));
}

MC_AVX512 void multiply_four(const std::uint8_t* panel, std::int64_t blocks, const RowInput& x,
                             float* out) {
    const __m512i table = _mm512_load_si512(kTables.plain);
    const auto* words = reinterpret_cast<const std::int32_t*>(x.x);
    __m512 total = _mm512_setzero_ps();
    for (std::int64_t b = 0; b < blocks; ++b, panel += kFourBlockBytes, words += 16) {
        __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                          _mm512_setzero_ps()};
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) {
            const __m512i q = _mm512_loadu_si512(panel + 64 * j);
            sums[0] = _mm512_dpbf16_ps(sums[0], pair_of(words, 4 * j), look_up(table, q));
            sums[1] = _mm512_dpbf16_ps(sums[1], pair_of(words, 4 * j + 1),
                                       look_up(table, _mm512_srli_epi16(q, 4)));
            sums[2] = _mm512_dpbf16_ps(sums[2], pair_of(words, 4 * j + 2),
                                       look_up(table, _mm512_srli_epi16(q, 8)));
            sums[3] = _mm512_dpbf16_ps(sums[3], pair_of(words, 4 * j + 3),
                                       look_up(table, _mm512_srli_epi16(q, 12)));
        }
        total = _mm512_fmadd_ps(halves(panel + 256), sum_of(sums), total);
        total = _mm512_fmadd_ps(halves(panel + 288), _mm512_set1_ps(x.block_sums[b]), total);
    }
    _mm512_storeu_ps(out, total);
}

MC_AVX512 void multiply_eight(const std::uint8_t* panel, std::int64_t blocks, const RowInput& x,
                              float* out) {
    const __m512i low = _mm512_load_si512(kTables.plain);
    const __m512i high = _mm512_load_si512(kTables.high);
    const auto* words = reinterpret_cast<const std::int32_t*>(x.x);
    __m512 total = _mm512_setzero_ps();
    for (std::int64_t b = 0; b < blocks; ++b, panel += kEightBlockBytes, words += 16) {
        __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                          _mm512_setzero_ps()};
#pragma GCC unroll 8
        for (int j = 0; j < 8; ++j) {
            const __m512i q = _mm512_loadu_si512(panel + 64 * j);
            const __m512bh even = pair_of(words, 2 * j);
            const __m512bh odd = pair_of(words, 2 * j + 1);
            sums[0] = _mm512_dpbf16_ps(sums[0], even, look_up(low, q));
            sums[1] = _mm512_dpbf16_ps(sums[1], even, look_up(high, _mm512_srli_epi16(q, 4)));
            sums[2] = _mm512_dpbf16_ps(sums[2], odd, look_up(low, _mm512_srli_epi16(q, 8)));
            sums[3] = _mm512_dpbf16_ps(sums[3], odd, look_up(high, _mm512_srli_epi16(q, 12)));
        }
        total = _mm512_fmadd_ps(halves(panel + 512), sum_of(sums), total);
    }
    _mm512_storeu_ps(out, total);
}

MC_AVX512 void multiply_bf16(const Bf16Bits* panel, std::int64_t columns, const RowInput& x,
                             float* out) {
    const auto* words = reinterpret_cast<const std::int32_t*>(x.x);
    __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                      _mm512_setzero_ps()};
    for (std::int64_t k = 0; k < columns / 2; k += 4)
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j)
            sums[j] = _mm512_dpbf16_ps(sums[j], pair_of(words, k + j),
                                       load_bf16(panel + (k + j) * 2 * kPanelRows));
    _mm512_storeu_ps(out, sum_of(sums));
}

}  // namespace

void multiply_row(const RowWeights& weights, const RowInput& x, float* out, std::int64_t begin,
                  std::int64_t end) {
    const std::int64_t blocks = weights.columns / kBlockColumns;
    const std::int64_t size = row_weight_bytes(weights.format, 1, weights.columns);
    const auto* panel = static_cast<const std::uint8_t*>(weights.panels) + begin * size;
    for (std::int64_t p = begin; p < end; ++p, panel += size) {
        float* to = out + p * kPanelRows;
        switch (weights.format) {
            case RowFormat::kFour:
                multiply_four(panel, blocks, x, to);
                break;
            case RowFormat::kEight:
                multiply_eight(panel, blocks, x, to);
                break;
            case RowFormat::kBf16:
                multiply_bf16(reinterpret_cast<const Bf16Bits*>(panel), weights.columns, x, to);
                break;
        }
    }
}

MC_AVX512 void sum_blocks(const Bf16Bits* x, std::int64_t columns, float* block_sums) {
    for (std::int64_t b = 0; b < columns / kBlockColumns; ++b, x += kBlockColumns)
        block_sums[b] = _mm512_reduce_add_ps(
            _mm512_add_ps(load_half_bf16(x), load_half_bf16(x + kBlockColumns / 2)));
}

MC_AVX512 void normalize_row(float* residual, const float* delta, const float* weight,
                             float epsilon, std::int64_t width, Bf16Bits* x) {
    __m512 squares = _mm512_setzero_ps();
    for (std::int64_t i = 0; i < width; i += 16) {
        __m512 value = _mm512_loadu_ps(residual + i);
        if (delta != nullptr) {
            value = _mm512_add_ps(value, _mm512_loadu_ps(delta + i));
            _mm512_storeu_ps(residual + i, value);
        }
        squares = _mm512_fmadd_ps(value, value, squares);
    }
    const float mean = _mm512_reduce_add_ps(squares) / static_cast<float>(width);
    const __m512 scale = _mm512_set1_ps(1.0F / std::sqrt(mean + epsilon));
    for (std::int64_t i = 0; i < width; i += 16)
        store_half_bf16(x + i, _mm512_mul_ps(_mm512_mul_ps(_mm512_loadu_ps(residual + i), scale),
                                             _mm512_loadu_ps(weight + i)));
}

MC_AVX512 void gate_row(const float* gate, const float* up, std::int64_t width, Bf16Bits* x) {
    for (std::int64_t i = 0; i < width; i += 16)
        store_half_bf16(x + i,
                        _mm512_mul_ps(silu(_mm512_loadu_ps(gate + i)), _mm512_loadu_ps(up + i)));
}

MC_AVX512 void round_row(const float* from, std::int64_t width, Bf16Bits* to) {
    for (std::int64_t i = 0; i < width; i += 16) store_half_bf16(to + i, _mm512_loadu_ps(from + i));
}

MC_AVX512 void rotate_row(const float* from, const float* cosines, const float* sines,
                          std::int64_t width, Bf16Bits* to) {
    alignas(64) float turned[16];
    for (std::int64_t i = 0; i < width; i += 16) {
        for (std::int64_t j = 0; j < 16; j += 2) {
            const float a = from[i + j];
            const float b = from[i + j + 1];
            const float c = cosines[(i + j) / 2];
            const float s = sines[(i + j) / 2];
            turned[j] = a * c - b * s;
            turned[j + 1] = a * s + b * c;
        }
        store_half_bf16(to + i, _mm512_load_ps(turned));
    }
}

namespace {

// scores[key] of one head; returns the highest.
MC_AVX512 float score_keys(const Bf16Bits* query, const Bf16Bits* keys, std::int64_t count,
                           std::int64_t head_dim, float scale, float* scores) {
    float top = -std::numeric_limits<float>::max();
    for (std::int64_t key = 0; key < count; ++key, keys += head_dim) {
        __m512 sum = _mm512_setzero_ps();
        for (std::int64_t d = 0; d < head_dim; d += 32)
            sum = _mm512_dpbf16_ps(sum, load_bf16(query + d), load_bf16(keys + d));
        scores[key] = _mm512_reduce_add_ps(sum) * scale;
        top = std::max(top, scores[key]);
    }
    return top;
}

// Adds the keys' log-mass to their scores; returns the highest.
float add_log_mass(const float* log_mass, std::int64_t count, float* scores) {
    float top = -std::numeric_limits<float>::max();
    for (std::int64_t key = 0; key < count; ++key) {
        scores[key] += log_mass[key];
        top = std::max(top, scores[key]);
    }
    return top;
}

MC_AVX512 float weigh_scores(float* scores, std::int64_t count, float top) {
    __m512 sum = _mm512_setzero_ps();
    for (std::int64_t i = 0; i < count; i += 16) {
        const auto lanes = static_cast<__mmask16>(
            count - i >= 16 ? 0xffffU : (1U << static_cast<unsigned>(count - i)) - 1U);
        const __m512 x = _mm512_maskz_loadu_ps(lanes, scores + i);
        const __m512 e = exponential(_mm512_sub_ps(x, _mm512_set1_ps(top)));
        _mm512_mask_storeu_ps(scores + i, lanes, e);
        sum = _mm512_mask_add_ps(sum, lanes, sum, e);
    }
    return _mm512_reduce_add_ps(sum);
}

MC_AVX512 void sum_values(const float* weights, const Bf16Bits* values, std::int64_t count,
                          std::int64_t head_dim, float* out) {
    for (std::int64_t d = 0; d < head_dim; d += 32) {
        __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                          _mm512_setzero_ps()};
        for (std::int64_t key = 0; key < count; ++key) {
            const Bf16Bits* from = values + key * head_dim + d;
            const __m512 weight = _mm512_set1_ps(weights[key]);
            const std::int64_t turn = key % 2 * 2;
            sums[turn] = _mm512_fmadd_ps(weight, load_half_bf16(from), sums[turn]);
            sums[turn + 1] = _mm512_fmadd_ps(weight, load_half_bf16(from + 16), sums[turn + 1]);
        }
        _mm512_storeu_ps(out + d, _mm512_add_ps(sums[0], sums[2]));
        _mm512_storeu_ps(out + d + 16, _mm512_add_ps(sums[1], sums[3]));
    }
}

}  // namespace

void attend_row(const Bf16Bits* queries, std::int64_t heads, const Bf16Bits* keys,
                const Bf16Bits* values, const float* log_mass, std::int64_t count,
                std::int64_t head_dim, float* scores, const PartialAttention& out) {
    // Blocks of keys pass through the first-level cache once for all heads.
    constexpr std::int64_t kKeys = 128;
    const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
    std::fill_n(out.tops, heads, -std::numeric_limits<float>::max());
    for (std::int64_t first = 0; first < count; first += kKeys)
        for (std::int64_t head = 0; head < heads; ++head) {
            const std::int64_t taken = std::min(kKeys, count - first);
            float* to = scores + head * count + first;
            float top = score_keys(queries + head * head_dim, keys + first * head_dim, taken,
                                   head_dim, scale, to);
            if (log_mass != nullptr) top = add_log_mass(log_mass + first, taken, to);
            out.tops[head] = std::max(out.tops[head], top);
        }
    for (std::int64_t head = 0; head < heads; ++head)
        out.sums[head] = weigh_scores(scores + head * count, count, out.tops[head]);
    for (std::int64_t head = 0; head < heads; ++head)
        sum_values(scores + head * count, values, count, head_dim, out.values + head * head_dim);
}

MC_AVX512 void join_attention(const PartialAttention& parts, std::int64_t head,
                              std::int64_t part_count, std::int64_t part_stride,
                              std::int64_t head_dim, Bf16Bits* out) {
    float top = -std::numeric_limits<float>::max();
    for (std::int64_t p = 0; p < part_count; ++p)
        top = std::max(top, parts.tops[p * part_stride + head]);
    float sum = 0;
    for (std::int64_t p = 0; p < part_count; ++p)
        sum +=
            parts.sums[p * part_stride + head] * std::exp(parts.tops[p * part_stride + head] - top);
    for (std::int64_t d = 0; d < head_dim; d += 16) {
        __m512 value = _mm512_setzero_ps();
        for (std::int64_t p = 0; p < part_count; ++p) {
            const std::int64_t at = p * part_stride + head;
            const __m512 share = _mm512_set1_ps(std::exp(parts.tops[at] - top) / sum);
            value =
                _mm512_fmadd_ps(share, _mm512_loadu_ps(parts.values + at * head_dim + d), value);
        }
        store_half_bf16(out + d, value);
    }
}

#endif

}  // namespace mc::lm
