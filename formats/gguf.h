// SPDX-License-Identifier: Apache-2.0
// Reads GGUF model files (ggml docs/gguf.md, versions 2 and 3), memory-mapped, bounds-checked.
//
// Knows nothing of any architecture. Ownership: GgufFile owns the mapping; tensor views and strings
// handed out by reference die with it. Threads: const, free. Errors: kInvalidInput for a file that
// is missing, truncated or malformed, naming the field and its offset; never a crash, whatever the
// bytes (fuzzed in tests/fuzz).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/files.h"
#include "core/result.h"

namespace mc::lm {

// Element formats of ggml that llama-architecture files carry. Values are ggml's (frozen).
enum class GgmlType : std::uint32_t {
    kF32 = 0,
    kF16 = 1,
    kQ4_0 = 2,
    kQ4_1 = 3,
    kQ5_0 = 6,
    kQ5_1 = 7,
    kQ8_0 = 8,
    kQ4_K = 12,
    kQ5_K = 13,
    kQ6_K = 14,
    kBF16 = 30,
};

std::string_view ggml_type_name(GgmlType type);

// Elements of a type come in blocks of a fixed size.
struct GgmlBlock {
    std::uint32_t element_count = 0;
    std::uint32_t size_bytes = 0;
};

GgmlBlock ggml_block(GgmlType type);

// Limits: far above any model known, low enough that a damaged length cannot ask for the machine's
// whole memory. A length is checked against the bytes left in the file as well.
inline constexpr std::uint64_t kGgufStringBytesMax = 16ULL << 20;  // chat templates are the longest
inline constexpr std::uint64_t kGgufKeyBytesMax = 65535;           // gguf.md
inline constexpr std::uint64_t kGgufTensorNameBytesMax = 64;       // gguf.md
inline constexpr std::uint64_t kGgufArrayLengthMax = 1ULL << 24;   // vocabularies end near 2^18
inline constexpr std::uint64_t kGgufMetadataCountMax = 1ULL << 16;
inline constexpr std::uint64_t kGgufTensorCountMax = 1ULL << 16;
inline constexpr std::uint32_t kGgufDimensionsMax = 4;  // GGML_MAX_DIMS
inline constexpr std::uint64_t kGgufAlignmentMax = 1ULL << 20;

// One metadata value. Integers of every width become std::int64_t or std::uint64_t.
using GgufValue =
    std::variant<bool, std::int64_t, std::uint64_t, double, std::string, std::vector<std::string>,
                 std::vector<std::int64_t>, std::vector<double>>;

struct GgufTensor {
    std::string name;
    GgmlType type{};
    std::vector<std::uint64_t> shape;  // ggml order: shape[0] is contiguous (columns)
    std::span<const std::byte> data;   // exactly the tensor's bytes

    std::uint64_t element_count() const;
};

class GgufFile {
  public:
    static Result<std::unique_ptr<GgufFile>> open(const Path& path);
    // Parses bytes that outlive the file: for tests and fuzzing. name stands in for the path.
    static Result<std::unique_ptr<GgufFile>> parse(std::span<const std::byte> bytes,
                                                   std::string name);

    // Metadata by key; nullptr when absent.
    const GgufValue* find(std::string_view key) const;

    // Typed access; kInvalidInput names the key when it is missing or of another type.
    Result<std::uint64_t> get_uint(std::string_view key) const;
    Result<double> get_float(std::string_view key) const;
    Result<bool> get_bool(std::string_view key) const;
    Result<std::string> get_string(std::string_view key) const;
    Result<std::vector<std::string>> get_strings(std::string_view key) const;
    Result<std::vector<std::int64_t>> get_ints(std::string_view key) const;

    const std::map<std::string, GgufValue, std::less<>>& metadata() const { return metadata_; }

    const std::vector<GgufTensor>& tensors() const { return tensors_; }

    const GgufTensor* find_tensor(std::string_view name) const;

    const std::string& name() const { return name_; }

    // The whole file's bytes: what the base-model hash covers.
    std::span<const std::byte> bytes() const { return bytes_; }

  private:
    GgufFile() = default;

    std::string name_;
    std::unique_ptr<MappedFile> mapping_;  // null when parsed from memory
    std::span<const std::byte> bytes_;
    std::map<std::string, GgufValue, std::less<>> metadata_;
    std::vector<GgufTensor> tensors_;
};

// Decodes a whole tensor to f32, row-major with shape[0] fastest. Source of every block layout:
// ggml's quantisation formats; checked against PyPI gguf in tests/formats/dequantize_test.cpp.
// Errors: kInvalidInput when data and shape do not fit the type.
Result<std::vector<float>> dequantize(const GgufTensor& tensor);

// The same into memory of the caller. Errors: also kInvalidInput when out has another size than
// element_count(); out is then untouched.
Result<void> dequantize_into(const GgufTensor& tensor, std::span<float> out);

}  // namespace mc::lm
