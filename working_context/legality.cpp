// SPDX-License-Identifier: Apache-2.0
#include "working_context/legality.h"

#include <algorithm>

namespace mc {
namespace {

bool intersects(TokenSpan a, TokenSpan b) {
    return a.begin < b.end && b.begin < a.end;
}

// What both kinds of edit ask of their node.
Legality may_touch(const Window& window, NodeId node) {
    const Selection* selection = window.find_selection(node.document);
    if (selection == nullptr) return Legality::kNotSelected;
    if (!selection->shape.has_node(node)) return Legality::kNotComplete;
    return selection->range.contains(span_of(node)) ? Legality::kLegal : Legality::kNotSelected;
}

// The entries that a collapse of the node would replace; empty unless all its children are there.
std::span<const WindowEntry> children_in(const Window& window, NodeId node) {
    const TokenSpan span = span_of(node);
    const std::size_t position = *window.position_of(node.document, span.begin);
    const std::span<const WindowEntry> rest = std::span(window.entries()).subspan(position);
    if (node.level == Level(1)) {
        const bool whole = rest.front().entry == Entry::raw(node.document, span);
        return whole ? rest.first(1) : rest.first(0);
    }
    if (rest.size() < kBlockSize) return {};
    const Level child_level(node.level.value - 1);
    const auto is_child = [&](const WindowEntry& child) {
        return child.entry.level == child_level && span.contains(child.entry.span);
    };
    const auto children = rest.first(kBlockSize);
    return std::all_of(children.begin(), children.end(), is_child) ? children : rest.first(0);
}

}  // namespace

std::string_view legality_text(Legality legality) {
    switch (legality) {
        case Legality::kLegal:
            return "the edit is legal";
        case Legality::kNotSelected:
            return "the node's tokens are not in the working context";
        case Legality::kNotComplete:
            return "the node does not exist or is not complete yet";
        case Legality::kNotPresent:
            return "the node (or, to collapse, every one of its children) is not an entry now";
        case Legality::kProtected:
            return "the node stands for protected tokens";
        case Legality::kBudget:
            return "the budget has no room for 31 more entries";
        case Legality::kCooldown:
            return "the node was collapsed too recently";
        case Legality::kResidency:
            return "the node was expanded too recently";
    }
    MC_CHECK(false, "unknown legality");
    return {};
}

bool in_cooldown(const Window& window, const WindowEntry& entry, const AllocatorLimits& limits) {
    return entry.arrival == Arrival::kCollapse && window.age_steps(entry) < limits.cooldown_steps;
}

bool in_residency(const Window& window, const WindowEntry& entry, const AllocatorLimits& limits) {
    return entry.arrival == Arrival::kExpand &&
           window.age_steps(entry) < limits.residency_steps_min;
}

Legality may_expand(const Window& window, NodeId node, const AllocatorLimits& limits) {
    const Legality touch = may_touch(window, node);
    if (touch != Legality::kLegal) return touch;
    const std::optional<std::size_t> position = window.position_of(node);
    if (!position) return Legality::kNotPresent;
    if (in_cooldown(window, window.entries()[*position], limits)) return Legality::kCooldown;
    const bool fits = window.cost() + kEditCost <= window.budget_entries();
    return fits ? Legality::kLegal : Legality::kBudget;
}

Legality may_collapse(const Window& window, NodeId node, const AllocatorLimits& limits) {
    const Legality touch = may_touch(window, node);
    if (touch != Legality::kLegal) return touch;
    for (const ProtectedSpan& kept : window.protected_spans()) {
        if (kept.document == node.document && intersects(kept.span, span_of(node))) {
            return Legality::kProtected;
        }
    }
    const std::span<const WindowEntry> children = children_in(window, node);
    if (children.empty()) return Legality::kNotPresent;
    for (const WindowEntry& child : children) {
        if (in_residency(window, child, limits)) return Legality::kResidency;
    }
    return Legality::kLegal;
}

Legality may_apply(const Window& window, Edit edit, const AllocatorLimits& limits) {
    return edit.kind == Edit::Kind::kExpand ? may_expand(window, edit.node, limits)
                                            : may_collapse(window, edit.node, limits);
}

std::vector<Edit> legal_edits(const Window& window, const AllocatorLimits& limits) {
    std::vector<Edit> edits;
    const auto add_if_legal = [&](Edit edit) {
        if (may_apply(window, edit, limits) == Legality::kLegal) edits.push_back(edit);
    };
    for (const WindowEntry& slot : window.entries()) {
        const Entry& entry = slot.entry;
        if (!entry.is_raw()) add_if_legal({Edit::Kind::kExpand, entry.node()});
        const bool is_first_child = entry.is_raw() || slot_in_parent(entry.node()) == 0;
        const std::optional<NodeId> above = window.node_above(entry);
        if (is_first_child && above) add_if_legal({Edit::Kind::kCollapse, *above});
    }
    return edits;
}

}  // namespace mc
