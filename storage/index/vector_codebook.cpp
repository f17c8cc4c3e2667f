// SPDX-License-Identifier: Apache-2.0
#include "storage/index/vector_codebook.h"

#include <cmath>
#include <cstring>

#include "formats/half_float.h"
#include "storage/index/shipped_vector_codebook.h"

namespace mc::storage {
namespace {

constexpr const char* kFormat = "megacontext-vector-codebook-1";
constexpr const char* kShippedName = "the program's own vector codebook";

std::string field(const lm::SafetensorsFile& file, const char* key) {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
}

Result<std::vector<float>> centroids_of(const lm::SafetensorsFile& file,
                                        const lm::SafetensorsTensor& tensor) {
    std::vector<float> values(tensor.element_count());
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::uint16_t half = 0;
        std::memcpy(&half, &tensor.data[i * sizeof half], sizeof half);
        values[i] = half_to_float(half);
        if (!std::isfinite(values[i]))
            return fail(ErrorCode::kInvalidInput,
                        file.name() + ": tensor centroids holds a number that is not finite");
    }
    return values;
}

}  // namespace

Result<VectorCodebook> parse_vector_codebook(const lm::SafetensorsFile& file) {
    const auto refuse = [&](const std::string& what) {
        return fail(ErrorCode::kInvalidInput, file.name() + ": " + what);
    };
    if (field(file, "format") != kFormat)
        return refuse("metadata field format is '" + field(file, "format") + "', not " + kFormat);
    const auto embedder_hash = hash_from_hex(field(file, "embedder_hash"));
    if (!embedder_hash) return refuse("metadata field embedder_hash is not a hash");
    const lm::SafetensorsTensor* tensor = file.find_tensor("centroids");
    if (tensor == nullptr || tensor->dtype != lm::SafetensorsDtype::kF16 ||
        tensor->shape.size() != 3 || tensor->shape[1] != kCentroidCount)
        return refuse("tensor centroids is missing or has another type or shape");
    const std::uint64_t bytes = tensor->shape[0];
    const std::uint64_t numbers = tensor->shape[2];
    if (bytes == 0 || numbers == 0 || bytes > kCodebookDimMax || numbers > kCodebookDimMax ||
        bytes * numbers > kCodebookDimMax)
        return refuse("tensor centroids has another shape");
    VectorCodebook book;
    book.hash = xxh3_128(file.bytes());
    book.embedder_name = field(file, "embedder_name");
    book.embedder_hash = *embedder_hash;
    book.dim = static_cast<std::uint32_t>(bytes * numbers);
    book.code_bytes = static_cast<std::uint32_t>(bytes);
    MC_ASSIGN(book.centroids, centroids_of(file, *tensor));
    return book;
}

Result<std::unique_ptr<VectorCodec>> codec_for(const TextEmbedderInfo& embedder) {
    MC_ASSIGN(const auto file, lm::SafetensorsFile::parse(shipped_vector_codebook(), kShippedName));
    MC_ASSIGN(const VectorCodebook book, parse_vector_codebook(*file));
    if (book.embedder_hash == embedder.hash && book.dim == embedder.dim)
        return make_product_codec(book);
    return make_half_codec(embedder.dim);
}

}  // namespace mc::storage
