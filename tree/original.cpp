// SPDX-License-Identifier: Apache-2.0
#include "tree/original.h"

#include <algorithm>
#include <iterator>

namespace mc {
namespace {

// The label that holds at a byte; empty before the first.
std::string label_at(std::span<const Place> places, std::uint64_t byte) {
    const auto next = std::ranges::upper_bound(places, byte, {}, &Place::begin);
    return next == places.begin() ? std::string() : std::prev(next)->label;
}

}  // namespace

bool are_places(std::span<const Place> places) {
    if (places.size() > kPlacesMax) return false;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const std::string& label = places[i].label;
        if (label.empty() || label.size() > kPlaceLabelBytesMax) return false;
        if (i > 0 && places[i].begin <= places[i - 1].begin) return false;
    }
    return true;
}

std::string place_of(std::span<const Place> places, ByteSpan bytes) {
    const std::string first = label_at(places, bytes.begin);
    if (bytes.end <= bytes.begin) return first;
    const std::string last = label_at(places, bytes.end - 1);
    return first.empty() || first == last ? last : first + " to " + last;
}

}  // namespace mc
