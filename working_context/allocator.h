// SPDX-License-Identifier: Apache-2.0
// Decides which nodes stand expanded: scores and a budget in, a list of edits out.
//
// Every expansion costs kEditCost entries whatever its level, so the choice is exact: the set of
// expanded nodes, closed under ancestors, with the largest sum of gains that the budget holds
// (dynamic programming over the candidates' trees). A path from level 3 down to one block's tokens
// is thus one decision. Hysteresis, cooldown and minimum residency: working_context/limits.h.
// Ties go to what stands expanded, then to the earlier node. Pure functions.
// Errors: kOverBudget when even with every legal collapse the window does not fit, naming the
// smallest budget that works; kUsage for a budget of 0 or above the window's own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"
#include "working_context/focus_scorer.h"
#include "working_context/window.h"

namespace mc {

struct EditPlan {
    std::vector<Edit> edits;           // to be applied in order, each legal when its turn comes
    std::uint64_t collapse_count = 0;  // edits[0 … collapse_count) free room for the rest
    std::uint64_t cost_after = 0;      // of the window with all edits applied
    double gain_before = 0;            // sum of the gains of the nodes that stand expanded
    double gain_after = 0;
};

// Scores of nodes that the window does not admit are passed over.
// budget_entries ≤ window.budget_entries(); smaller makes room for what is to come.
Result<EditPlan> plan_edits(const Window& window, std::span<const NodeScore> scores,
                            std::uint64_t budget_entries, const AllocatorLimits& limits);

// How a window fares; for telemetry, .stats and evaluation.
struct WindowReport {
    double utilisation = 0;            // cost / budget
    double swap_rate = 0;              // collapses of the plan / nodes that stood expanded
    double residency_steps_mean = 0;   // mean age of the entries
    std::uint64_t expanded_count = 0;  // nodes that stand expanded
};

// Of a window with the plan applied.
WindowReport report_window(const Window& window, const EditPlan& applied);

}  // namespace mc
