// SPDX-License-Identifier: Apache-2.0
// What a document was converted from: the bytes of its file, and where in it a stretch of the text
// stands. Value types and pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/ids.h"

namespace mc {

// Most of one document; a mailbox of this many messages is a week's reading.
inline constexpr std::size_t kPlacesMax = 100'000;
inline constexpr std::size_t kPlaceLabelBytesMax = 512;

// "page 3", "Chapter 2 › Terms": from a byte of the text to where the next place begins.
struct Place {
    std::uint64_t begin = 0;
    std::string label;  // UTF-8, one line, not empty

    bool operator==(const Place&) const = default;
};

struct Original {
    std::string kind;  // "html", "pdf", …
    std::string bytes;
    std::vector<Place> places;  // ascending by begin
};

// What a store says of an original before it is read.
struct OriginalRecord {
    std::string kind;
    std::uint64_t byte_count = 0;
    Hash128 hash;  // XXH3-128 of the bytes
    std::vector<Place> places;
};

// Ascending begins, and labels that are neither empty nor too long.
bool are_places(std::span<const Place> places);

// Where a stretch of the text stands: "page 3", or "page 3 to page 4"; empty before the first
// place.
std::string place_of(std::span<const Place> places, ByteSpan bytes);

}  // namespace mc
