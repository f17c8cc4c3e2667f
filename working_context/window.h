// SPDX-License-Identifier: Apache-2.0
// The working context: the ordered entries that the base model reads, within a budget.
//
// Holds, after every call (working_context/invariants.h checks it): cost ≤ budget; each selected
// range is covered once, in order, without a gap; gists are complete nodes; protected tokens are
// raw. It knows spans and levels, not tokens or gists: the runtime reads those from the store.
// Value type. Threads: const methods free.
// Errors: kOverBudget when the budget cannot hold what was asked, kInvalidInput for an edit that
// legality.h forbids, with its reason; the window is then as it was.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "working_context/entry.h"
#include "working_context/limits.h"

namespace mc {

// What a window is made from.
struct WindowSpec {
    std::vector<Selection> selections;           // in reading order; a document at most once
    std::vector<ProtectedSpan> protected_spans;  // within the selections
    std::uint64_t budget_entries = 0;            // W
    std::uint64_t reserved_entries = 0;          // of W, kept free for the question and the answer

    bool operator==(const WindowSpec&) const = default;
};

// What apply() replaced; hand it to undo().
class Undo {
    friend class Window;

    struct Step {
        std::size_t position;  // of the first entry that the edit replaced
        std::size_t placed_count;
        std::vector<WindowEntry> replaced;
    };

    std::vector<Step> steps_;
    std::uint64_t revision_before_ = 0;
    std::uint64_t revision_after_ = 0;
};

class Window {
  public:
    // The coarsest legal cover: the highest nodes that lie within the ranges and clear of
    // protected spans, raw tokens elsewhere. Errors: kOverBudget, naming the smallest budget that
    // works; kUsage for budget 0; kInvalidInput for a range or protected span outside its
    // document's selection, or a document given twice.
    static Result<Window> make_coarsest(WindowSpec spec);

    // In reading order.
    const std::vector<WindowEntry>& entries() const { return entries_; }

    const std::vector<Selection>& selections() const { return spec_.selections; }

    const std::vector<ProtectedSpan>& protected_spans() const { return spec_.protected_spans; }

    std::uint64_t budget_entries() const { return spec_.budget_entries; }

    std::uint64_t reserved_entries() const { return spec_.reserved_entries; }

    // Entries taken, the reserve among them.
    std::uint64_t cost() const { return cost_; }

    // The refocus count: the unit of age, cooldown and residency.
    std::uint64_t step() const { return step_; }

    void begin_step() { ++step_; }

    std::uint64_t age_steps(const WindowEntry& entry) const { return step_ - entry.entered_step; }

    const Selection* find_selection(DocumentId document) const;

    // Position in entries() of the entry that stands for a token; nullopt outside the selections.
    std::optional<std::size_t> position_of(DocumentId document, std::uint64_t token) const;

    // Position of a node's gist; nullopt when the node is not an entry.
    std::optional<std::size_t> position_of(NodeId node) const;

    // Whether the node could be an entry: complete, within its document's range, clear of
    // protected spans.
    bool admits(NodeId node) const;

    // The node right above an entry or node, if the window admits it: what a collapse leads to.
    std::optional<NodeId> node_above(const Entry& entry) const;

    // Applies edits in order, all or none. Each must be legal when its turn comes.
    Result<Undo> apply(std::span<const Edit> edits, const AllocatorLimits& limits = kNoLimits);
    Result<Undo> apply(Edit edit, const AllocatorLimits& limits = kNoLimits);

    // Puts back exactly what apply() found, ages included. Requires: nothing else changed the
    // window's entries since that apply(), or it was undone (newest first).
    void undo(const Undo& applied);

    // The document got tokens or gists. A range that reached the document's end goes on to the new
    // end, with raw tokens. Errors: kOverBudget (make room first: plan with a smaller budget).
    Result<void> grow(DocumentShape shape);

    // Errors: kOverBudget when the entries do not fit (plan for the smaller budget first).
    Result<void> set_budget(std::uint64_t budget_entries, std::uint64_t reserved_entries);

    // Replaces all protected spans. Errors: kInvalidInput when one of their tokens is not raw now.
    Result<void> set_protected(std::vector<ProtectedSpan> protected_spans);

    // Same entries with the same ages, under the same rules.
    bool operator==(const Window& other) const;

  private:
    explicit Window(WindowSpec spec) : spec_(std::move(spec)) {}

    static Result<void> check_spec(const WindowSpec& spec);
    void add_coarsest_cover(const Selection& selection);
    bool is_protected(DocumentId document, TokenSpan span) const;
    void append_raw(std::size_t selection_index, TokenSpan fresh);
    Undo::Step replace(Edit edit);
    void put_back(const Undo::Step& step);

    WindowSpec spec_;
    std::unordered_map<DocumentId, std::size_t> selection_of_;  // index into spec_.selections
    std::vector<WindowEntry> entries_;
    std::uint64_t cost_ = 0;  // reserve included
    std::uint64_t step_ = 0;
    std::uint64_t revision_ = 0;       // names the present entries
    std::uint64_t revision_last_ = 0;  // newest name given; names are never used twice
};

}  // namespace mc
