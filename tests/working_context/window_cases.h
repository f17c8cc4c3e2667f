// SPDX-License-Identifier: Apache-2.0
// Windows for tests: small ones by hand, and random ones from a seed.
#pragma once

#include <algorithm>
#include <vector>

#include "core/rng.h"
#include "working_context/window.h"

namespace mc {

inline NodeId node(std::uint64_t document, int level, std::uint64_t index) {
    return {DocumentId(document), Level(static_cast<std::uint8_t>(level)), NodeIndex(index)};
}

inline Edit expand(NodeId target) {
    return {Edit::Kind::kExpand, target};
}

inline Edit collapse(NodeId target) {
    return {Edit::Kind::kCollapse, target};
}

inline Selection whole(std::uint64_t document, std::uint64_t token_count) {
    return {DocumentShape::of(DocumentId(document), token_count), {0, token_count}};
}

// The whole of document 1 under a budget.
inline Window window_of(std::uint64_t token_count, std::uint64_t budget_entries) {
    return *Window::make_coarsest({{whole(1, token_count)}, {}, budget_entries, 0});
}

inline std::vector<Entry> bare(const Window& window) {
    std::vector<Entry> entries;
    for (const WindowEntry& slot : window.entries()) entries.push_back(slot.entry);
    return entries;
}

// One to three documents of up to a few level 3 nodes, any range of them, some protected spans, a
// reserve, and a budget between the least that works and room for about 80 expansions.
inline Window random_window(Rng& rng) {
    WindowSpec spec;
    const std::uint64_t document_count = 1 + rng.below(3);
    for (std::uint64_t i = 0; i < document_count; ++i) {
        const std::uint64_t magnitude = 1ULL << (3 + rng.below(14));
        const std::uint64_t token_count = rng.below(magnitude) + 1;
        Selection selection = whole(7 - i, token_count);
        if (rng.below(2) == 0) {
            selection.range.begin = rng.below(token_count);
            selection.range.end =
                selection.range.begin + rng.below(token_count - selection.range.begin) + 1;
        }
        if (rng.below(3) == 0) {
            const TokenSpan range = selection.range;
            const std::uint64_t begin = range.begin + rng.below(range.count());
            const std::uint64_t end = std::min(range.end, begin + rng.below(80));
            spec.protected_spans.push_back({selection.shape.document, {begin, end}});
        }
        spec.selections.push_back(selection);
    }
    spec.reserved_entries = rng.below(20);
    spec.budget_entries = 1'000'000;
    const std::uint64_t cost = Window::make_coarsest(spec)->cost();
    spec.budget_entries = std::max<std::uint64_t>(1, cost + rng.below(80 * kEditCost));
    return *Window::make_coarsest(spec);
}

// A node near the window's present entries: itself, its parent or one of its children.
inline NodeId random_node(const Window& window, Rng& rng) {
    const auto& entries = window.entries();
    const Entry entry = entries[rng.below(entries.size())].entry;
    const Level level(static_cast<std::uint8_t>(
        std::max<std::uint64_t>(1, entry.level.value + rng.below(3)) - rng.below(2)));
    const Level valid = std::max(Level(1), level);
    return {entry.document, valid, node_holding(entry.span.begin, valid)};
}

}  // namespace mc
