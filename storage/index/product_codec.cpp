// SPDX-License-Identifier: Apache-2.0
#include <faiss/impl/ProductQuantizer.h>

#include <algorithm>
#include <cstring>

#include "core/check.h"
#include "storage/codec/faiss_guard.h"
#include "storage/index/vector_codebook.h"

namespace mc::storage {
namespace {

constexpr std::size_t kCentroidCount = 256;

// One inner product for each centroid; a code's score is the sum of its bytes' entries.
class ProductScorer final : public CodeScorer {
  public:
    ProductScorer(const faiss::ProductQuantizer& quantizer, std::span<const float> query)
        : bytes_(quantizer.M), table_(quantizer.M * kCentroidCount) {
        quantizer.compute_inner_prod_table(query.data(), table_.data());
    }

    float score(const std::byte* code) const override {
        // Four sums, which do not wait for each other.
        float sums[4] = {0, 0, 0, 0};
        const float* row = table_.data();
        std::size_t m = 0;
        for (; m + 4 <= bytes_; m += 4, row += 4 * kCentroidCount)
            for (std::size_t i = 0; i < 4; ++i)
                sums[i] += row[i * kCentroidCount + std::to_integer<std::size_t>(code[m + i])];
        for (; m < bytes_; ++m, row += kCentroidCount)
            sums[0] += row[std::to_integer<std::size_t>(code[m])];
        return (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }

  private:
    std::size_t bytes_;
    std::vector<float> table_;
};

class ProductCodec final : public VectorCodec {
  public:
    explicit ProductCodec(const VectorCodebook& codebook)
        : name_("pq " + to_hex(codebook.hash)), quantizer_(codebook.dim, codebook.code_bytes, 8) {
        MC_CHECK(quantizer_.centroids.size() == codebook.centroids.size(),
                 "a codebook whose centroids fill its shape");
        quantizer_.centroids = codebook.centroids;
    }

    const std::string& name() const override { return name_; }

    std::size_t code_bytes() const override { return quantizer_.code_size; }

    Result<void> encode(std::span<const float> vectors, std::span<std::byte> codes) const override {
        // One by one: FAISS's loop over many wakes a team of threads, for a few vectors at a time.
        auto* code = reinterpret_cast<std::uint8_t*>(codes.data());
        return faiss_guard(ErrorCode::kModel, [&] {
            for (std::size_t at = 0; at < vectors.size(); at += quantizer_.d) {
                quantizer_.compute_code(&vectors[at], code);
                code += quantizer_.code_size;
            }
        });
    }

    void decode(const std::byte* code, std::span<float> vector) const override {
        for (std::size_t m = 0; m < quantizer_.M; ++m) {
            const std::size_t row = m * kCentroidCount + std::to_integer<std::size_t>(code[m]);
            std::copy_n(&quantizer_.centroids[row * quantizer_.dsub], quantizer_.dsub,
                        &vector[m * quantizer_.dsub]);
        }
    }

    std::unique_ptr<CodeScorer> scorer(std::span<const float> query) const override {
        return std::make_unique<ProductScorer>(quantizer_, query);
    }

  private:
    const std::string name_;
    faiss::ProductQuantizer quantizer_;
};

}  // namespace

std::unique_ptr<VectorCodec> make_product_codec(const VectorCodebook& codebook) {
    return std::make_unique<ProductCodec>(codebook);
}

}  // namespace mc::storage
