// SPDX-License-Identifier: Apache-2.0
// Files as the rest of the program needs them: read whole, map read-only, replace atomically.
//
// Ownership: MappedFile owns its mapping; its bytes() die with it. Threads: const methods free.
// Errors: kInvalidInput for a path that the user gave and that cannot be read (missing, a folder,
// no permission); kOutOfSpace for a full disk; kIo for the rest. Messages name the path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/result.h"

namespace mc {

using Path = std::filesystem::path;

// Error of the last failed system call on a path: picks the code from errno.
Error system_error(int error_number, const std::string& action, const Path& path);

Result<std::string> read_file(const Path& path, std::uint64_t size_bytes_max);

// Writes beside the target, syncs, renames: readers see the old or the new content, never a mix.
Result<void> replace_file(const Path& path, std::span<const std::byte> content);
// As above, of pieces that lie one after the other in the file.
Result<void> replace_file_pieces(const Path& path,
                                 std::span<const std::span<const std::byte>> pieces);

// A whole file mapped read-only.
class MappedFile {
  public:
    static Result<std::unique_ptr<MappedFile>> open(const Path& path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    std::span<const std::byte> bytes() const { return {data_, size_}; }

  private:
    MappedFile(const std::byte* data, std::size_t size) : data_(data), size_(size) {}

    const std::byte* data_;
    std::size_t size_;
};

}  // namespace mc
