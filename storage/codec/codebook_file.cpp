// SPDX-License-Identifier: Apache-2.0
#include "storage/codec/codebook_file.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/hash.h"
#include "formats/half_float.h"
#include "storage/codec/shipped_codebook.h"

namespace mc::runtime {
namespace {

using lm::SafetensorsDtype;
using lm::SafetensorsTensor;
using storage::GistCodebook;

constexpr const char* kFormat = "megacontext-codebook-1";
constexpr const char* kEncoderHash = "encoder_hash";
constexpr const char* kShippedName = "the program's own codebook";

using Extents = std::vector<std::uint64_t>;

// Reads the file's fields one by one; the first that is wrong is the error.
class CodebookReader {
  public:
    explicit CodebookReader(const lm::SafetensorsFile& file) : file_(file) {}

    Result<GistCodebook> read();

  private:
    tl::unexpected<Error> refuse(const std::string& what) const {
        return fail(ErrorCode::kInvalidInput, file_.name() + ": " + what);
    }

    std::string field(const char* key) const {
        const auto found = file_.metadata().find(key);
        return found == file_.metadata().end() ? std::string() : found->second;
    }

    Result<Hash128> hash_field(const char* key) const {
        const auto hash = hash_from_hex(field(key));
        if (!hash) return refuse(std::string("metadata field ") + key + " is not a hash");
        return *hash;
    }

    Result<const SafetensorsTensor*> tensor(const char* name, std::size_t dimensions) const {
        const SafetensorsTensor* found = file_.find_tensor(name);
        if (found == nullptr || found->shape.size() != dimensions)
            return refuse(std::string("tensor ") + name + " is missing or has another shape");
        return found;
    }

    Result<std::vector<float>> floats(const char* name, const Extents& shape) const;
    Result<void> read_shape(GistCodebook& book) const;
    Result<void> read_shared(GistCodebook& book, const Extents& numbers) const;

    const lm::SafetensorsFile& file_;
};

Result<std::vector<float>> CodebookReader::floats(const char* name, const Extents& shape) const {
    MC_ASSIGN(const SafetensorsTensor* found, tensor(name, shape.size()));
    if (found->shape != shape) return refuse(std::string("tensor ") + name + " has another shape");
    std::vector<float> values(found->element_count());
    if (found->dtype == SafetensorsDtype::kF32) {
        if (!values.empty()) std::memcpy(values.data(), found->data.data(), found->data.size());
    } else if (found->dtype == SafetensorsDtype::kF16) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            std::uint16_t half = 0;
            std::memcpy(&half, &found->data[i * sizeof half], sizeof half);
            values[i] = storage::half_to_float(half);
        }
    } else {
        return refuse(std::string("tensor ") + name + " must be F32 or F16");
    }
    return values;
}

Result<void> CodebookReader::read_shape(GistCodebook& book) const {
    MC_ASSIGN(const SafetensorsTensor* centre, tensor("centre", 4));
    const Extents& shape = centre->shape;
    const bool fits = std::all_of(shape.begin(), shape.end(), [](std::uint64_t extent) {
        return extent <= std::numeric_limits<std::uint16_t>::max();
    });
    if (!fits || shape[1] != 2) return refuse("tensor centre has another shape");
    book.shape = {static_cast<std::uint32_t>(shape[0]), static_cast<std::uint32_t>(shape[2]),
                  static_cast<std::uint32_t>(shape[3]), 0};
    MC_ASSIGN(const SafetensorsTensor* bytes, tensor("head_bytes", 3));
    if (bytes->dtype != SafetensorsDtype::kU8 ||
        bytes->shape != Extents(shape.begin(), shape.begin() + 3))
        return refuse("tensor head_bytes has another type or shape");
    for (const std::byte of_head : bytes->data)
        book.head_bytes.push_back(std::to_integer<std::uint8_t>(of_head));
    return {};
}

Result<void> CodebookReader::read_shared(GistCodebook& book, const Extents& numbers) const {
    if (file_.find_tensor("shared_basis") == nullptr) return {};
    MC_ASSIGN(const SafetensorsTensor* basis, tensor("shared_basis", 1 + numbers.size()));
    MC_ASSIGN(const SafetensorsTensor* centroids, tensor("shared_centroids", 3));
    const std::uint64_t dims = basis->shape.front();
    const std::uint64_t bytes = centroids->shape.front();
    if (dims == 0 || dims > storage::kSharedDimsMax || bytes == 0 || dims % bytes != 0)
        return refuse("tensors shared_basis and shared_centroids do not fit each other");
    book.shared_dims = static_cast<std::uint32_t>(dims);
    book.shared_bytes = static_cast<std::uint32_t>(bytes);
    Extents of_basis = {dims};
    of_basis.insert(of_basis.end(), numbers.begin(), numbers.end());
    MC_ASSIGN(book.shared_basis, floats("shared_basis", of_basis));
    MC_ASSIGN(book.shared_centroids,
              floats("shared_centroids", {bytes, storage::kCentroids, dims / bytes}));
    return {};
}

Result<GistCodebook> CodebookReader::read() {
    if (field("format") != kFormat)
        return refuse("metadata field format is '" + field("format") + "', not " + kFormat);
    GistCodebook book;
    book.hash = xxh3_128(file_.bytes());
    book.encoder_name = field("encoder_name");
    MC_ASSIGN(book.base_model_hash, hash_field("base_model_hash"));
    MC_ASSIGN(book.encoder_hash, hash_field(kEncoderHash));
    MC_TRY(read_shape(book));
    const GistShape& shape = book.shape;
    const Extents numbers = {shape.layer_count, 2, shape.kv_head_count, shape.head_dim};
    MC_ASSIGN(book.centre, floats("centre", numbers));
    MC_ASSIGN(book.scale, floats("scale", numbers));
    MC_TRY(read_shared(book, numbers));
    Extents rotations = numbers;
    rotations.push_back(shape.head_dim);
    MC_ASSIGN(book.rotations, floats("rotations", rotations));
    Extents centroids = numbers;
    centroids.back() *= storage::kCentroids;
    MC_ASSIGN(book.head_centroids, floats("head_centroids", centroids));
    MC_TRY_CONTEXT(check_codebook(book), file_.name());
    return book;
}

std::vector<std::uint16_t> halves_of(const std::vector<float>& values) {
    std::vector<std::uint16_t> halves;
    halves.reserve(values.size());
    for (const float value : values) halves.push_back(storage::float_to_half(value));
    return halves;
}

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
    return std::as_bytes(std::span(values));
}

}  // namespace

Result<GistCodebook> parse_codebook(const lm::SafetensorsFile& file) {
    return CodebookReader(file).read();
}

Result<GistCodebook> load_codebook(const std::string& setting) {
    MC_ASSIGN(const auto file, setting == kOwnCodebook
                                   ? lm::SafetensorsFile::parse(shipped_codebook(), kShippedName)
                                   : lm::SafetensorsFile::open(setting));
    return parse_codebook(*file);
}

Result<std::optional<GistCodebook>> own_codebook_for(const EncoderInfo& encoder) {
    MC_ASSIGN(const auto file, lm::SafetensorsFile::parse(shipped_codebook(), kShippedName));
    const auto trained_for = file->metadata().find(kEncoderHash);
    if (trained_for == file->metadata().end() || trained_for->second != to_hex(encoder.hash))
        return std::optional<GistCodebook>();
    return parse_codebook(*file);
}

Result<void> save_codebook(const Path& path, const GistCodebook& codebook,
                           lm::SafetensorsMetadata metadata) {
    metadata["format"] = kFormat;
    metadata["base_model_hash"] = to_hex(codebook.base_model_hash);
    metadata[kEncoderHash] = to_hex(codebook.encoder_hash);
    metadata["encoder_name"] = codebook.encoder_name;
    const GistShape& shape = codebook.shape;
    const Extents heads = {shape.layer_count, 2, shape.kv_head_count};
    const auto with = [](Extents shape_before, std::uint64_t extent) {
        shape_before.push_back(extent);
        return shape_before;
    };
    const Extents numbers = with(heads, shape.head_dim);
    const auto rotations = halves_of(codebook.rotations);
    const auto head_centroids = halves_of(codebook.head_centroids);
    const auto basis = halves_of(codebook.shared_basis);
    const auto shared_centroids = halves_of(codebook.shared_centroids);
    std::vector<SafetensorsTensor> tensors = {
        {"centre", SafetensorsDtype::kF32, numbers, bytes_of(codebook.centre)},
        {"scale", SafetensorsDtype::kF32, numbers, bytes_of(codebook.scale)},
        {"head_bytes", SafetensorsDtype::kU8, heads, bytes_of(codebook.head_bytes)},
        {"rotations", SafetensorsDtype::kF16, with(numbers, shape.head_dim), bytes_of(rotations)},
        {"head_centroids", SafetensorsDtype::kF16,
         with(heads, std::uint64_t{shape.head_dim} * storage::kCentroids),
         bytes_of(head_centroids)}};
    if (codebook.shared_bytes > 0) {
        Extents of_basis = {codebook.shared_dims};
        of_basis.insert(of_basis.end(), numbers.begin(), numbers.end());
        tensors.push_back({"shared_basis", SafetensorsDtype::kF16, of_basis, bytes_of(basis)});
        tensors.push_back({"shared_centroids",
                           SafetensorsDtype::kF16,
                           {codebook.shared_bytes, storage::kCentroids,
                            codebook.shared_dims / codebook.shared_bytes},
                           bytes_of(shared_centroids)});
    }
    return lm::write_safetensors(path, tensors, metadata);
}

}  // namespace mc::runtime
