// SPDX-License-Identifier: Apache-2.0
#include <faiss/impl/ProductQuantizer.h>

#include <algorithm>
#include <cstring>

#include "core/check.h"
#include "storage/codec/faiss_guard.h"
#include "storage/index/vector_codebook.h"

namespace mc::storage {
namespace {

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
        for (std::size_t at = 0; at < codebook.centroids.size(); at += quantizer_.dsub) {
            std::uint64_t signs = 0;
            const std::size_t numbers = std::min<std::size_t>(quantizer_.dsub, 64);
            for (std::size_t i = 0; i < numbers; ++i)
                signs |= std::uint64_t{codebook.centroids[at + i] < 0} << i;
            centroid_signs_.push_back(signs);
        }
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

    void signs(const std::byte* code, std::span<std::uint64_t> words) const override {
        if (quantizer_.dsub > 64) {  // more signs than a word has; no such codebook is in use
            std::vector<float> vector(quantizer_.d);
            decode(code, vector);
            set_signs(vector, words);
            return;
        }
        for (std::size_t m = 0; m < quantizer_.M; ++m) {
            const std::uint64_t bits =
                centroid_signs_[m * kCentroidCount + std::to_integer<std::size_t>(code[m])];
            const std::size_t first = m * quantizer_.dsub;
            words[first / 64] |= bits << (first % 64);
            if (first % 64 + quantizer_.dsub > 64)
                words[first / 64 + 1] |= bits >> (64 - first % 64);
        }
    }

    std::unique_ptr<CodeScorer> scorer(std::span<const float> query) const override {
        return std::make_unique<ProductScorer>(quantizer_, query);
    }

  private:
    const std::string name_;
    faiss::ProductQuantizer quantizer_;
    std::vector<std::uint64_t> centroid_signs_;  // (code bytes, 256): of a centroid's first 64
};

}  // namespace

std::unique_ptr<VectorCodec> make_product_codec(const VectorCodebook& codebook) {
    return std::make_unique<ProductCodec>(codebook);
}

}  // namespace mc::storage
