// SPDX-License-Identifier: Apache-2.0
// A mapping has one owner: a copy would unmap the same bytes twice.
// MUST_SAY: use of deleted function
#include "core/files.h"

std::span<const std::byte> bytes_of(const mc::MappedFile& file) {
#ifdef MC_WRONG
    const mc::MappedFile copy = file;
    return copy.bytes();
#else
    return file.bytes();
#endif
}
