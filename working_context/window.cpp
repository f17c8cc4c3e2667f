// SPDX-License-Identifier: Apache-2.0
#include "working_context/window.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "tree/cover.h"
#include "working_context/invariants.h"
#include "working_context/legality.h"

namespace mc {
namespace {

std::ptrdiff_t signed_of(std::size_t position) {
    return static_cast<std::ptrdiff_t>(position);
}

std::string text_of(TokenSpan span) {
    return "[" + std::to_string(span.begin) + "," + std::to_string(span.end) + ")";
}

Error outside_error(DocumentId document, TokenSpan span, std::string_view what) {
    return Error(ErrorCode::kInvalidInput, std::string(what) + " " + text_of(span) +
                                               " lies outside what the working context holds of "
                                               "document " +
                                               std::to_string(document.value));
}

Error budget_error(std::uint64_t budget, std::uint64_t entry_count, std::uint64_t reserve) {
    const ErrorCode code = budget == 0 ? ErrorCode::kUsage : ErrorCode::kOverBudget;
    return Error(code, "a budget of " + std::to_string(budget) + " entries is too small: " +
                           std::to_string(entry_count) + " entries and " + std::to_string(reserve) +
                           " reserved need at least " + std::to_string(entry_count + reserve));
}

// The part of a selection that protected spans keep raw, in whole blocks, in order; may overlap.
std::vector<TokenSpan> protected_blocks(const WindowSpec& spec, const Selection& selection) {
    std::vector<TokenSpan> spans;
    for (const ProtectedSpan& kept : spec.protected_spans) {
        if (kept.document != selection.shape.document) continue;
        const std::uint64_t begin = std::max(tail_begin(kept.span.begin), selection.range.begin);
        const std::uint64_t end = tail_begin(kept.span.end + kBlockSize - 1);
        spans.push_back({begin, std::min(end, selection.range.end)});
    }
    std::sort(spans.begin(), spans.end());
    return spans;
}

// After every edit where debug checks are on.
void check_laws([[maybe_unused]] const Window& window) {
    MC_DCHECK(window_violations(window).empty(), window_violations(window).front());
}

// The 32 children of a node, or its raw run.
std::vector<Entry> children_of(NodeId node) {
    if (node.level == Level(1)) return {Entry::raw(node.document, span_of(node))};
    std::vector<Entry> children;
    children.reserve(kBlockSize);
    for (std::uint64_t slot = 0; slot < kBlockSize; ++slot) {
        children.push_back(Entry::gist(child_of(node, slot)));
    }
    return children;
}

}  // namespace

Result<void> Window::check_spec(const WindowSpec& spec) {
    std::unordered_map<DocumentId, TokenSpan> ranges;
    for (const auto& [shape, range] : spec.selections) {
        if (range.begin > range.end || range.end > shape.token_count) {
            return fail(ErrorCode::kInvalidInput,
                        "document " + std::to_string(shape.document.value) + " has " +
                            std::to_string(shape.token_count) + " tokens; " + text_of(range) +
                            " is no part of it");
        }
        if (!ranges.emplace(shape.document, range).second) {
            return fail(ErrorCode::kInvalidInput,
                        "document " + std::to_string(shape.document.value) + " is selected twice");
        }
    }
    for (const ProtectedSpan& kept : spec.protected_spans) {
        const auto range = ranges.find(kept.document);
        if (kept.span.begin > kept.span.end || range == ranges.end() ||
            !range->second.contains(kept.span)) {
            return fail(outside_error(kept.document, kept.span, "protected span"));
        }
    }
    return {};
}

Result<Window> Window::make_coarsest(WindowSpec spec) {
    MC_TRY(check_spec(spec));
    std::erase_if(spec.protected_spans, [](const auto& kept) { return kept.span.empty(); });
    Window window(std::move(spec));
    window.cost_ = window.spec_.reserved_entries;
    for (std::size_t i = 0; i < window.spec_.selections.size(); ++i) {
        const Selection& selection = window.spec_.selections[i];
        window.selection_of_.emplace(selection.shape.document, i);
        window.add_coarsest_cover(selection);
    }
    if (window.budget_entries() == 0 || window.cost_ > window.budget_entries()) {
        return fail(budget_error(window.budget_entries(), window.cost_ - window.reserved_entries(),
                                 window.reserved_entries()));
    }
    check_laws(window);
    return window;
}

void Window::add_coarsest_cover(const Selection& selection) {
    const auto add = [&](TokenSpan span, std::uint64_t gist_end) {
        for (const CoverPiece& piece : coarsest_cover(span, gist_end)) {
            const Entry entry{selection.shape.document, piece.level, piece.span};
            entries_.push_back({entry, step_, Arrival::kStart});
            cost_ += entry.cost();
        }
    };
    std::uint64_t covered = selection.range.begin;
    for (const TokenSpan kept : protected_blocks(spec_, selection)) {
        if (kept.end <= covered) continue;
        const std::uint64_t kept_begin = std::max(kept.begin, covered);
        add({covered, kept_begin}, selection.shape.gist_end);
        add({kept_begin, kept.end}, 0);
        covered = kept.end;
    }
    add({covered, selection.range.end}, selection.shape.gist_end);
}

const Selection* Window::find_selection(DocumentId document) const {
    const auto found = selection_of_.find(document);
    return found == selection_of_.end() ? nullptr : &spec_.selections[found->second];
}

std::optional<std::size_t> Window::position_of(DocumentId document, std::uint64_t token) const {
    const auto found = selection_of_.find(document);
    if (found == selection_of_.end()) return std::nullopt;
    const TokenSpan range = spec_.selections[found->second].range;
    if (token < range.begin || token >= range.end) return std::nullopt;
    const auto starts_at_or_before = [&](const WindowEntry& slot) {
        const std::size_t order = selection_of_.at(slot.entry.document);
        return order != found->second ? order < found->second : slot.entry.span.begin <= token;
    };
    const auto after = std::partition_point(entries_.begin(), entries_.end(), starts_at_or_before);
    return static_cast<std::size_t>(after - entries_.begin()) - 1;
}

std::optional<std::size_t> Window::position_of(NodeId node) const {
    const Selection* selection = find_selection(node.document);
    if (selection == nullptr || !selection->shape.has_node(node)) return std::nullopt;
    const Entry wanted = Entry::gist(node);
    const auto position = position_of(node.document, wanted.span.begin);
    return position && entries_[*position].entry == wanted ? position : std::nullopt;
}

bool Window::is_protected(DocumentId document, TokenSpan span) const {
    return std::any_of(spec_.protected_spans.begin(), spec_.protected_spans.end(),
                       [&](const ProtectedSpan& kept) {
                           return kept.document == document && kept.span.begin < span.end &&
                                  span.begin < kept.span.end;
                       });
}

bool Window::admits(NodeId node) const {
    const Selection* selection = find_selection(node.document);
    return selection != nullptr && selection->shape.has_node(node) &&
           selection->range.contains(span_of(node)) && !is_protected(node.document, span_of(node));
}

std::optional<NodeId> Window::node_above(const Entry& entry) const {
    if (entry.level == kLevelMax) return std::nullopt;
    const Level level(entry.level.value + 1);
    const NodeId above{entry.document, level, node_holding(entry.span.begin, level)};
    return admits(above) ? std::optional(above) : std::nullopt;
}

Undo::Step Window::replace(Edit edit) {
    const bool expands = edit.kind == Edit::Kind::kExpand;
    const std::vector<Entry> children = children_of(edit.node);
    const std::size_t position = *position_of(edit.node.document, span_of(edit.node).begin);
    const std::size_t replaced_count = expands ? 1 : children.size();
    const auto first = entries_.begin() + signed_of(position);
    const auto last = first + signed_of(replaced_count);

    Undo::Step done{position, expands ? children.size() : 1, {first, last}};
    const auto hole = entries_.erase(first, last);
    if (expands) {
        std::vector<WindowEntry> placed;
        for (const Entry& child : children) placed.push_back({child, step_, Arrival::kExpand});
        entries_.insert(hole, placed.begin(), placed.end());
        cost_ += kEditCost;
    } else {
        entries_.insert(hole, {Entry::gist(edit.node), step_, Arrival::kCollapse});
        cost_ -= kEditCost;
    }
    return done;
}

void Window::put_back(const Undo::Step& step) {
    const auto first = entries_.begin() + signed_of(step.position);
    for (std::size_t i = 0; i < step.placed_count; ++i) cost_ -= first[signed_of(i)].entry.cost();
    for (const WindowEntry& slot : step.replaced) cost_ += slot.entry.cost();
    const auto hole = entries_.erase(first, first + signed_of(step.placed_count));
    entries_.insert(hole, step.replaced.begin(), step.replaced.end());
}

Result<Undo> Window::apply(std::span<const Edit> edits, const AllocatorLimits& limits) {
    Undo done;
    done.revision_before_ = revision_;
    for (const Edit& edit : edits) {
        const Legality legality = may_apply(*this, edit, limits);
        if (legality != Legality::kLegal) {
            for (auto step = done.steps_.rbegin(); step != done.steps_.rend(); ++step) {
                put_back(*step);
            }
            return fail(
                legality == Legality::kBudget ? ErrorCode::kOverBudget : ErrorCode::kInvalidInput,
                "cannot " + to_string(edit) + ": " + std::string(legality_text(legality)));
        }
        done.steps_.push_back(replace(edit));
        check_laws(*this);
    }
    done.revision_after_ = revision_ = ++revision_last_;
    return done;
}

Result<Undo> Window::apply(Edit edit, const AllocatorLimits& limits) {
    return apply(std::span(&edit, 1), limits);
}

void Window::undo(const Undo& applied) {
    MC_CHECK(revision_ == applied.revision_after_, "the window changed since this was applied");
    for (auto step = applied.steps_.rbegin(); step != applied.steps_.rend(); ++step) {
        put_back(*step);
    }
    revision_ = applied.revision_before_;
    check_laws(*this);
}

Result<void> Window::grow(DocumentShape shape) {
    const auto found = selection_of_.find(shape.document);
    if (found == selection_of_.end()) {
        return fail(outside_error(shape.document, {0, shape.token_count}, "growth to"));
    }
    Selection& selection = spec_.selections[found->second];
    if (shape.token_count < selection.shape.token_count ||
        shape.gist_end < selection.shape.gist_end || shape.gist_end > shape.token_count) {
        return fail(ErrorCode::kInvalidInput, "document " + std::to_string(shape.document.value) +
                                                  " cannot shrink in a working context");
    }
    const bool follows = selection.range.end == selection.shape.token_count;
    const TokenSpan fresh{selection.range.end, follows ? shape.token_count : selection.range.end};
    if (cost_ + fresh.count() > budget_entries()) {
        return fail(budget_error(budget_entries(), cost_ - reserved_entries() + fresh.count(),
                                 reserved_entries()));
    }
    append_raw(found->second, fresh);
    selection.shape = shape;
    selection.range.end = fresh.end;
    revision_ = ++revision_last_;
    check_laws(*this);
    return {};
}

void Window::append_raw(std::size_t selection_index, TokenSpan fresh) {
    const auto is_up_to_selection = [&](const WindowEntry& slot) {
        return selection_of_.at(slot.entry.document) <= selection_index;
    };
    auto end = std::partition_point(entries_.begin(), entries_.end(), is_up_to_selection);
    const DocumentId document = spec_.selections[selection_index].shape.document;
    std::vector<WindowEntry> placed;
    for (const CoverPiece& run : coarsest_cover(fresh, 0)) {
        const bool continues_run = placed.empty() && run.span.begin % kBlockSize != 0 &&
                                   end != entries_.begin() &&
                                   std::prev(end)->entry.document == document;
        if (continues_run) {
            std::prev(end)->entry.span.end = run.span.end;
        } else {
            placed.push_back({Entry::raw(document, run.span), step_, Arrival::kStart});
        }
    }
    entries_.insert(end, placed.begin(), placed.end());
    cost_ += fresh.count();
}

Result<void> Window::set_budget(std::uint64_t budget_entries, std::uint64_t reserved_entries) {
    const std::uint64_t entry_cost = cost_ - spec_.reserved_entries;
    if (budget_entries == 0 || entry_cost + reserved_entries > budget_entries) {
        return fail(budget_error(budget_entries, entry_cost, reserved_entries));
    }
    spec_.budget_entries = budget_entries;
    spec_.reserved_entries = reserved_entries;
    cost_ = entry_cost + reserved_entries;
    revision_ = ++revision_last_;
    check_laws(*this);
    return {};
}

Result<void> Window::set_protected(std::vector<ProtectedSpan> protected_spans) {
    std::erase_if(protected_spans, [](const auto& kept) { return kept.span.empty(); });
    for (const ProtectedSpan& kept : protected_spans) {
        const Selection* selection = find_selection(kept.document);
        if (kept.span.begin > kept.span.end || selection == nullptr ||
            !selection->range.contains(kept.span)) {
            return fail(outside_error(kept.document, kept.span, "protected span"));
        }
        for (std::uint64_t token = kept.span.begin; token < kept.span.end;) {
            const Entry& entry = entries_[*position_of(kept.document, token)].entry;
            if (!entry.is_raw()) {
                return fail(ErrorCode::kInvalidInput,
                            "cannot protect " + text_of(kept.span) + " of document " +
                                std::to_string(kept.document.value) + ": " + to_string(entry) +
                                " is not expanded to its tokens");
            }
            token = entry.span.end;
        }
    }
    spec_.protected_spans = std::move(protected_spans);
    revision_ = ++revision_last_;
    check_laws(*this);
    return {};
}

bool Window::operator==(const Window& other) const {
    return entries_ == other.entries_ && spec_ == other.spec_ && cost_ == other.cost_ &&
           step_ == other.step_;
}

}  // namespace mc
