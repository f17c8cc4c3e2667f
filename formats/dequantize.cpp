// SPDX-License-Identifier: Apache-2.0
// ggml's block formats (ggml-common.h, ggml-quants.c) decoded to f32, one function per format.
// The loops are plain so that the compiler turns them into vector code.
#include <bit>
#include <cstring>

#include "core/check.h"
#include "formats/gguf.h"

namespace mc::lm {
namespace {

using Bytes = const std::uint8_t*;

constexpr int kBlock = 32;        // elements of a simple block
constexpr int kSuperBlock = 256;  // elements of a K block

// IEEE half to single without a table: two exact multiplications cover normal and subnormal values
// (Dukhan, FP16 library, 2017).
inline float half_at(Bytes p) {
    std::uint16_t half;
    std::memcpy(&half, p, sizeof half);
    const std::uint32_t wide = static_cast<std::uint32_t>(half) << 16;
    const std::uint32_t sign = wide & 0x80000000U;
    const std::uint32_t magnitude = wide + wide;
    const float normal = std::bit_cast<float>((magnitude >> 4) + (0xE0U << 23)) * 0x1.0p-112F;
    const float subnormal = std::bit_cast<float>((magnitude >> 17) | (126U << 23)) - 0.5F;
    const std::uint32_t bits = magnitude < (1U << 27) ? std::bit_cast<std::uint32_t>(subnormal)
                                                      : std::bit_cast<std::uint32_t>(normal);
    return std::bit_cast<float>(sign | bits);
}

inline std::uint32_t word_at(Bytes p) {
    std::uint32_t word;
    std::memcpy(&word, p, sizeof word);
    return word;
}

void decode_f16(Bytes in, float* out) {
    *out = half_at(in);
}

void decode_bf16(Bytes in, float* out) {
    std::uint16_t high;
    std::memcpy(&high, in, sizeof high);
    *out = std::bit_cast<float>(static_cast<std::uint32_t>(high) << 16);
}

void decode_q8_0(Bytes in, float* out) {
    const float scale = half_at(in);
    for (int i = 0; i < kBlock; ++i)
        out[i] = scale * static_cast<float>(static_cast<std::int8_t>(in[2 + i]));
}

// Low nibbles are the first half of the block, high nibbles the second.
void decode_q4_0(Bytes in, float* out) {
    const float scale = half_at(in);
    for (int i = 0; i < kBlock / 2; ++i) {
        out[i] = scale * static_cast<float>((in[2 + i] & 15) - 8);
        out[i + kBlock / 2] = scale * static_cast<float>((in[2 + i] >> 4) - 8);
    }
}

void decode_q4_1(Bytes in, float* out) {
    const float scale = half_at(in);
    const float lowest = half_at(in + 2);
    for (int i = 0; i < kBlock / 2; ++i) {
        out[i] = scale * static_cast<float>(in[4 + i] & 15) + lowest;
        out[i + kBlock / 2] = scale * static_cast<float>(in[4 + i] >> 4) + lowest;
    }
}

// The fifth bit of element i is bit i of the word.
inline int fifth_bit(std::uint32_t word, int i) {
    return static_cast<int>((word >> i) & 1U) << 4;
}

void decode_q5_0(Bytes in, float* out) {
    const float scale = half_at(in);
    const std::uint32_t high = word_at(in + 2);
    for (int i = 0; i < kBlock / 2; ++i) {
        const int byte = in[6 + i];
        out[i] = scale * static_cast<float>(((byte & 15) | fifth_bit(high, i)) - 16);
        out[i + kBlock / 2] =
            scale * static_cast<float>(((byte >> 4) | fifth_bit(high, i + kBlock / 2)) - 16);
    }
}

void decode_q5_1(Bytes in, float* out) {
    const float scale = half_at(in);
    const float lowest = half_at(in + 2);
    const std::uint32_t high = word_at(in + 4);
    for (int i = 0; i < kBlock / 2; ++i) {
        const int byte = in[8 + i];
        out[i] = scale * static_cast<float>((byte & 15) | fifth_bit(high, i)) + lowest;
        out[i + kBlock / 2] =
            scale * static_cast<float>((byte >> 4) | fifth_bit(high, i + kBlock / 2)) + lowest;
    }
}

struct ScaleAndMin {
    float scale;
    float min;
};

// Q4_K and Q5_K pack eight 6-bit scales and eight 6-bit minima in 12 bytes.
ScaleAndMin packed_scale(Bytes packed, int j, float scale, float min) {
    int scale_bits = packed[j] & 63;
    int min_bits = packed[j + 4] & 63;
    if (j >= 4) {
        scale_bits = (packed[j + 4] & 15) | ((packed[j - 4] >> 6) << 4);
        min_bits = (packed[j + 4] >> 4) | ((packed[j] >> 6) << 4);
    }
    return {scale * static_cast<float>(scale_bits), min * static_cast<float>(min_bits)};
}

void decode_q4_k(Bytes in, float* out) {
    const float scale = half_at(in);
    const float min = half_at(in + 2);
    Bytes quants = in + 16;
    for (int j = 0; j < 8; j += 2, quants += 32, out += 64) {
        const ScaleAndMin low = packed_scale(in + 4, j, scale, min);
        const ScaleAndMin high = packed_scale(in + 4, j + 1, scale, min);
        for (int i = 0; i < 32; ++i) {
            out[i] = low.scale * static_cast<float>(quants[i] & 15) - low.min;
            out[i + 32] = high.scale * static_cast<float>(quants[i] >> 4) - high.min;
        }
    }
}

void decode_q5_k(Bytes in, float* out) {
    const float scale = half_at(in);
    const float min = half_at(in + 2);
    Bytes high_bits = in + 16;
    Bytes quants = in + 48;
    for (int j = 0; j < 8; j += 2, quants += 32, out += 64) {
        const ScaleAndMin low = packed_scale(in + 4, j, scale, min);
        const ScaleAndMin high = packed_scale(in + 4, j + 1, scale, min);
        for (int i = 0; i < 32; ++i) {
            const int fifth = high_bits[i] >> j;
            const int low_quant = (quants[i] & 15) | ((fifth & 1) << 4);
            const int high_quant = (quants[i] >> 4) | ((fifth & 2) << 3);
            out[i] = low.scale * static_cast<float>(low_quant) - low.min;
            out[i + 32] = high.scale * static_cast<float>(high_quant) - high.min;
        }
    }
}

void decode_q6_k(Bytes in, float* out) {
    Bytes low_bits = in;
    Bytes high_bits = in + 128;
    Bytes scales = in + 192;
    const float scale = half_at(in + 208);
    const auto scale_of = [&](int i) {
        return scale * static_cast<float>(static_cast<std::int8_t>(scales[i]));
    };
    for (int half = 0; half < 2; ++half, low_bits += 64, high_bits += 32, scales += 8, out += 128)
        for (int i = 0; i < 32; ++i) {
            const int group = i / 16;
            const int high = high_bits[i];
            const int q0 = ((low_bits[i] & 15) | ((high & 3) << 4)) - 32;
            const int q1 = ((low_bits[i + 32] & 15) | (((high >> 2) & 3) << 4)) - 32;
            const int q2 = ((low_bits[i] >> 4) | (((high >> 4) & 3) << 4)) - 32;
            const int q3 = ((low_bits[i + 32] >> 4) | ((high >> 6) << 4)) - 32;
            out[i] = scale_of(group) * static_cast<float>(q0);
            out[i + 32] = scale_of(group + 2) * static_cast<float>(q1);
            out[i + 64] = scale_of(group + 4) * static_cast<float>(q2);
            out[i + 96] = scale_of(group + 6) * static_cast<float>(q3);
        }
}

// Decode is a template argument so that it is inlined into the loop.
template <void (*Decode)(Bytes, float*)>
void decode_all(const GgufTensor& tensor, float* out) {
    const GgmlBlock block = ggml_block(tensor.type);
    const auto* in = reinterpret_cast<Bytes>(tensor.data.data());
    const std::uint64_t block_count = tensor.data.size() / block.size_bytes;
    for (std::uint64_t i = 0; i < block_count; ++i)
        Decode(in + i * block.size_bytes, out + i * block.element_count);
}

Result<void> check_size(const GgufTensor& tensor) {
    const GgmlBlock block = ggml_block(tensor.type);
    const std::uint64_t element_count = tensor.element_count();
    if (element_count % block.element_count != 0 || tensor.data.size() % block.size_bytes != 0 ||
        element_count / block.element_count != tensor.data.size() / block.size_bytes)
        return fail(ErrorCode::kInvalidInput, "tensor '" + tensor.name +
                                                  "': " + std::to_string(tensor.data.size()) +
                                                  " bytes do not hold its shape in " +
                                                  std::string(ggml_type_name(tensor.type)));
    return {};
}

}  // namespace

Result<void> dequantize_into(const GgufTensor& tensor, std::span<float> out) {
    MC_TRY(check_size(tensor));
    if (out.size() != tensor.element_count())
        return fail(ErrorCode::kInvalidInput, "tensor '" + tensor.name + "' has " +
                                                  std::to_string(tensor.element_count()) +
                                                  " elements, not " + std::to_string(out.size()));
    switch (tensor.type) {
        case GgmlType::kF32:
            std::memcpy(out.data(), tensor.data.data(), tensor.data.size());
            break;
        case GgmlType::kF16:
            decode_all<decode_f16>(tensor, out.data());
            break;
        case GgmlType::kBF16:
            decode_all<decode_bf16>(tensor, out.data());
            break;
        case GgmlType::kQ4_0:
            decode_all<decode_q4_0>(tensor, out.data());
            break;
        case GgmlType::kQ4_1:
            decode_all<decode_q4_1>(tensor, out.data());
            break;
        case GgmlType::kQ5_0:
            decode_all<decode_q5_0>(tensor, out.data());
            break;
        case GgmlType::kQ5_1:
            decode_all<decode_q5_1>(tensor, out.data());
            break;
        case GgmlType::kQ8_0:
            decode_all<decode_q8_0>(tensor, out.data());
            break;
        case GgmlType::kQ4_K:
            decode_all<decode_q4_k>(tensor, out.data());
            break;
        case GgmlType::kQ5_K:
            decode_all<decode_q5_k>(tensor, out.data());
            break;
        case GgmlType::kQ6_K:
            decode_all<decode_q6_k>(tensor, out.data());
            break;
    }
    return {};
}

Result<std::vector<float>> dequantize(const GgufTensor& tensor) {
    MC_TRY(check_size(tensor));
    std::vector<float> values(tensor.element_count());
    MC_TRY(dequantize_into(tensor, values));
    return values;
}

}  // namespace mc::lm
