// SPDX-License-Identifier: Apache-2.0
#include "working_context/invariants.h"

namespace mc {
namespace {

// What is wrong with one entry that should continue its document at token `covered`.
std::string entry_violation(const Window& window, const DocumentShape& shape,
                            const WindowEntry& slot, std::uint64_t covered) {
    const Entry& entry = slot.entry;
    const TokenSpan span = entry.span;
    if (span.begin != covered) return "does not continue at token " + std::to_string(covered);
    if (span.begin >= span.end) return "stands for no token";
    if (slot.entered_step > window.step()) return "entered in the future";
    if (entry.is_raw()) {
        const bool within_block = span.end <= tail_begin(span.begin) + kBlockSize;
        return within_block ? "" : "crosses a block boundary";
    }
    const bool is_node = shape.has_node(entry.node()) && span_of(entry.node()) == span;
    return is_node ? "" : "is no complete node";
}

// Walks one selection's entries from `position` on; returns the position after them.
std::size_t check_selection(const Window& window, const Selection& selection, std::size_t position,
                            std::vector<std::string>& broken) {
    const auto& [shape, range] = selection;
    std::uint64_t covered = range.begin;
    const auto& entries = window.entries();
    for (; position < entries.size() && entries[position].entry.document == shape.document;
         ++position) {
        const std::string wrong = entry_violation(window, shape, entries[position], covered);
        if (!wrong.empty()) broken.push_back(to_string(entries[position].entry) + " " + wrong);
        covered = entries[position].entry.span.end;
    }
    if (covered != range.end) {
        broken.push_back("document " + std::to_string(shape.document.value) + " is covered to " +
                         std::to_string(covered) + ", not to " + std::to_string(range.end));
    }
    return position;
}

void check_protected(const Window& window, std::vector<std::string>& broken) {
    for (const ProtectedSpan& kept : window.protected_spans()) {
        for (const WindowEntry& slot : window.entries()) {
            const Entry& entry = slot.entry;
            const bool overlaps = entry.document == kept.document &&
                                  entry.span.begin < kept.span.end &&
                                  kept.span.begin < entry.span.end;
            if (overlaps && !entry.is_raw()) {
                broken.push_back(to_string(entry) + " stands for protected tokens");
            }
        }
    }
}

}  // namespace

std::vector<std::string> window_violations(const Window& window) {
    std::vector<std::string> broken;
    std::uint64_t cost = window.reserved_entries();
    for (const WindowEntry& slot : window.entries()) cost += slot.entry.cost();
    if (cost != window.cost()) {
        broken.push_back("the entries cost " + std::to_string(cost) + ", counted as " +
                         std::to_string(window.cost()));
    }
    if (cost > window.budget_entries()) {
        broken.push_back("the cost of " + std::to_string(cost) + " exceeds the budget of " +
                         std::to_string(window.budget_entries()));
    }
    std::size_t position = 0;
    for (const Selection& selection : window.selections()) {
        position = check_selection(window, selection, position, broken);
    }
    if (position != window.entries().size()) {
        broken.push_back(to_string(window.entries()[position].entry) +
                         " is out of order or of no selected document");
    }
    check_protected(window, broken);
    return broken;
}

Result<void> check_window(const Window& window) {
    const std::vector<std::string> broken = window_violations(window);
    if (broken.empty()) return {};
    return fail(ErrorCode::kCorruption, "the working context breaks " +
                                            std::to_string(broken.size()) +
                                            " laws; the first: " + broken.front());
}

}  // namespace mc
