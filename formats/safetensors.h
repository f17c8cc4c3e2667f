// SPDX-License-Identifier: Apache-2.0
// Reads and writes safetensors files: named tensors behind a JSON header, memory-mapped.
//
// The format (its README, "Format"): u64 header size, header, tensor bytes without holes, all
// little-endian. Knows nothing of any architecture. Ownership: SafetensorsFile owns the mapping;
// tensor views and strings handed out by reference die with it. Threads: const, free. Errors:
// kInvalidInput for a file that is missing, truncated or malformed, naming file and field; never
// a crash, whatever the bytes (fuzzed in tests/fuzz); as replace_file when writing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/result.h"

namespace mc::lm {

enum class SafetensorsDtype {
    kBool,
    kU8,
    kI8,
    kI16,
    kU16,
    kF16,
    kBF16,
    kI32,
    kU32,
    kF32,
    kI64,
    kU64,
    kF64
};

// "BF16", as the header spells it.
std::string_view safetensors_dtype_name(SafetensorsDtype dtype);
std::uint32_t safetensors_dtype_size_bytes(SafetensorsDtype dtype);

// Limits: far above any file known. The format's own reader has the same one for the header.
inline constexpr std::uint64_t kSafetensorsHeaderBytesMax = 100'000'000;
inline constexpr std::size_t kSafetensorsDimensionsMax = 8;

struct SafetensorsTensor {
    std::string name;
    SafetensorsDtype dtype{};
    std::vector<std::uint64_t> shape;  // row-major: the last axis is contiguous
    std::span<const std::byte> data;   // exactly the tensor's bytes, not aligned in foreign files

    // Requires: a tensor of a file that was read, whose size is known to fit.
    std::uint64_t element_count() const;
};

using SafetensorsMetadata = std::map<std::string, std::string, std::less<>>;

class SafetensorsFile {
  public:
    static Result<std::unique_ptr<SafetensorsFile>> open(const Path& path);
    // Parses bytes that outlive the file: for tests and fuzzing. name stands in for the path.
    static Result<std::unique_ptr<SafetensorsFile>> parse(std::span<const std::byte> bytes,
                                                          std::string name);

    // The header's __metadata__, empty when it has none.
    const SafetensorsMetadata& metadata() const { return metadata_; }

    // In the order of their names.
    const std::vector<SafetensorsTensor>& tensors() const { return tensors_; }

    const SafetensorsTensor* find_tensor(std::string_view name) const;

    const std::string& name() const { return name_; }

    // The whole file's bytes.
    std::span<const std::byte> bytes() const { return bytes_; }

  private:
    SafetensorsFile() = default;

    std::string name_;
    std::unique_ptr<MappedFile> mapping_;  // null when parsed from memory
    std::span<const std::byte> bytes_;
    SafetensorsMetadata metadata_;
    std::vector<SafetensorsTensor> tensors_;
};

// Replaces path by a file of these tensors; readers see the old file or the new one. The bytes do
// not depend on the order of the tensors, and every tensor is aligned to its element's size.
// Errors: kInvalidInput for a name that is repeated, reserved ("__metadata__") or not UTF-8, and
// for data that does not fit its shape.
Result<void> write_safetensors(const Path& path, std::span<const SafetensorsTensor> tensors,
                               const SafetensorsMetadata& metadata);

}  // namespace mc::lm
