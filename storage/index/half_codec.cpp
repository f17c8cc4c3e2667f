// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <vector>

#include "formats/half_float.h"
#include "storage/index/vector_codec.h"

namespace mc::storage {
namespace {

std::uint16_t half_at(const std::byte* code, std::size_t i) {
    std::uint16_t half = 0;
    std::memcpy(&half, code + i * sizeof half, sizeof half);
    return half;
}

class HalfScorer final : public CodeScorer {
  public:
    explicit HalfScorer(std::span<const float> query) : query_(query.begin(), query.end()) {}

    float score(const std::byte* code) const override {
        float sum = 0;
        for (std::size_t i = 0; i < query_.size(); ++i)
            sum += query_[i] * half_to_float(half_at(code, i));
        return sum;
    }

  private:
    std::vector<float> query_;
};

class HalfCodec final : public VectorCodec {
  public:
    explicit HalfCodec(std::uint32_t dim) : dim_(dim) {}

    const std::string& name() const override { return name_; }

    std::size_t code_bytes() const override { return dim_ * sizeof(std::uint16_t); }

    Result<void> encode(std::span<const float> vectors, std::span<std::byte> codes) const override {
        for (std::size_t i = 0; i < vectors.size(); ++i) {
            const std::uint16_t half = float_to_half(vectors[i]);
            std::memcpy(codes.data() + i * sizeof half, &half, sizeof half);
        }
        return {};
    }

    void decode(const std::byte* code, std::span<float> vector) const override {
        for (std::size_t i = 0; i < vector.size(); ++i) vector[i] = half_to_float(half_at(code, i));
    }

    void signs(const std::byte* code, std::span<std::uint64_t> words) const override {
        std::vector<float> vector(dim_);
        decode(code, vector);
        set_signs(vector, words);
    }

    std::unique_ptr<CodeScorer> scorer(std::span<const float> query) const override {
        return std::make_unique<HalfScorer>(query);
    }

  private:
    const std::uint32_t dim_;
    const std::string name_ = "fp16";
};

}  // namespace

void set_signs(std::span<const float> vector, std::span<std::uint64_t> words) {
    for (std::size_t i = 0; i < vector.size(); ++i)
        words[i / 64] |= std::uint64_t{vector[i] < 0} << (i % 64);
}

std::unique_ptr<VectorCodec> make_half_codec(std::uint32_t dim) {
    return std::make_unique<HalfCodec>(dim);
}

}  // namespace mc::storage
