// SPDX-License-Identifier: Apache-2.0
// A ZIP archive in memory whose entries are read by name.
//
// Bounds hold over the whole archive, so that no bomb is unpacked: entries, and bytes of all that
// is read together. Ownership: borrows the bytes. Threads: one. Errors: kInvalidInput for what is
// no archive, is beyond the bounds, damaged or has a password.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

struct zip;

namespace mc::documents {

class ZipArchive {
  public:
    // unpacked_bytes_max: of all entries that are read, together.
    static Result<ZipArchive> open(std::string_view content, std::uint64_t unpacked_bytes_max);

    // nullopt: there is no entry of that name.
    Result<std::optional<std::string>> find(const std::string& name);
    // As find(), for an entry without which the archive is no document.
    Result<std::string> require(const std::string& name);

  private:
    ZipArchive(zip* archive, std::uint64_t left);

    std::unique_ptr<zip, void (*)(zip*)> archive_;
    std::uint64_t unpacked_bytes_left_;
};

}  // namespace mc::documents
