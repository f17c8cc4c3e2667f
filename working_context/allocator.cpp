// SPDX-License-Identifier: Apache-2.0
#include "working_context/allocator.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "working_context/expansion_choice.h"
#include "working_context/legality.h"

namespace mc {
namespace {

struct Standing {
    double gain = 0;
    bool is_standing = false;
    bool is_forced = false;
};

// All nodes that the plan may move, ancestors before descendants, each tree from its root down.
using Candidates = std::map<NodeId, Standing, decltype(&precedes)>;

// The nodes above the window's entries stand expanded; those that must not collapse yet are forced.
void add_standing(const Window& window, const AllocatorLimits& limits, Candidates& candidates) {
    for (const WindowEntry& slot : window.entries()) {
        const bool is_forced = in_residency(window, slot, limits);
        auto above = window.node_above(slot.entry);
        while (above) {
            Standing& node = candidates[*above];
            if (node.is_standing && (node.is_forced || !is_forced)) break;  // so are those above
            node.is_standing = true;
            node.is_forced = is_forced;
            above = window.node_above(Entry::gist(*above));
        }
    }
}

Result<void> add_scores(const Window& window, std::span<const NodeScore> scores,
                        Candidates& candidates) {
    for (const NodeScore& score : scores) {
        if (!std::isfinite(score.gain) || score.gain < 0) {
            return fail(ErrorCode::kModel, "the scorer gives " + to_string(score.node) +
                                               " a gain of " + std::to_string(score.gain) +
                                               "; gains are finite and not negative");
        }
        if (score.gain == 0 || !window.admits(score.node)) continue;
        candidates[score.node].gain = score.gain;
        auto above = window.node_above(Entry::gist(score.node));
        while (above && candidates.try_emplace(*above).second) {
            above = window.node_above(Entry::gist(*above));
        }
    }
    return {};
}

// Takes out the entries that were collapsed too recently, and all below them.
void drop_cooling(const Window& window, const AllocatorLimits& limits, Candidates& candidates) {
    std::optional<NodeId> cooling;
    std::erase_if(candidates, [&](const auto& candidate) {
        const NodeId node = candidate.first;
        if (candidate.second.is_standing) return false;
        if (cooling && cooling->document == node.document &&
            span_of(*cooling).contains(span_of(node))) {
            return true;
        }
        const auto position = window.position_of(node);
        if (!position || !in_cooldown(window, window.entries()[*position], limits)) return false;
        cooling = node;
        return true;
    });
}

std::vector<ExpansionCandidate> with_hysteresis(const Candidates& candidates,
                                                const AllocatorLimits& limits) {
    double gain_max = 0;
    for (const auto& [node, standing] : candidates) gain_max = std::max(gain_max, standing.gain);
    const double switching_cost = gain_max * limits.switching_cost_share;
    std::vector<ExpansionCandidate> priced;
    priced.reserve(candidates.size());
    for (const auto& [node, standing] : candidates) {
        const double keep_bonus = standing.is_standing ? switching_cost : 0.0;
        priced.push_back(
            {node, standing.gain + keep_bonus, standing.is_forced, standing.is_standing});
    }
    return priced;
}

// Collapses from the finest level up, then expansions from the coarsest down; in reading order.
EditPlan order_edits(const Candidates& candidates, const std::vector<bool>& chosen) {
    EditPlan plan;
    std::vector<Edit> expansions;
    std::size_t at = 0;
    for (const auto& [node, standing] : candidates) {
        const bool stays_or_comes = chosen[at++];
        if (standing.is_standing) plan.gain_before += standing.gain;
        if (stays_or_comes) plan.gain_after += standing.gain;
        if (standing.is_standing == stays_or_comes) continue;
        if (stays_or_comes) {
            expansions.push_back({Edit::Kind::kExpand, node});
        } else {
            plan.edits.push_back({Edit::Kind::kCollapse, node});
        }
    }
    plan.collapse_count = plan.edits.size();
    const auto by_level = [](const Edit& a, const Edit& b) { return a.node.level < b.node.level; };
    std::stable_sort(plan.edits.begin(), plan.edits.end(), by_level);
    std::stable_sort(expansions.begin(), expansions.end(),
                     [&](const Edit& a, const Edit& b) { return by_level(b, a); });
    plan.edits.insert(plan.edits.end(), expansions.begin(), expansions.end());
    return plan;
}

}  // namespace

Result<EditPlan> plan_edits(const Window& window, std::span<const NodeScore> scores,
                            std::uint64_t budget_entries, const AllocatorLimits& limits) {
    if (budget_entries == 0 || budget_entries > window.budget_entries()) {
        return fail(ErrorCode::kUsage,
                    "cannot plan for a budget of " + std::to_string(budget_entries) +
                        " entries: it must lie between 1 and the working context's " +
                        std::to_string(window.budget_entries()));
    }
    Candidates candidates(&precedes);
    add_standing(window, limits, candidates);
    std::uint64_t standing_count = 0;
    std::uint64_t forced_count = 0;
    for (const auto& [node, standing] : candidates) {
        standing_count += standing.is_standing ? 1 : 0;
        forced_count += standing.is_forced ? 1 : 0;
    }
    const std::uint64_t cost_min = window.cost() - (standing_count - forced_count) * kEditCost;
    if (cost_min > budget_entries) {
        return fail(ErrorCode::kOverBudget,
                    "a budget of " + std::to_string(budget_entries) +
                        " entries is too small: with all that may be collapsed now the working "
                        "context needs " +
                        std::to_string(cost_min));
    }
    MC_TRY(add_scores(window, scores, candidates));
    drop_cooling(window, limits, candidates);
    const std::uint64_t room = (budget_entries - cost_min) / kEditCost;
    EditPlan plan =
        order_edits(candidates, choose_expansions(with_hysteresis(candidates, limits), room));
    const std::uint64_t expansion_count = plan.edits.size() - plan.collapse_count;
    plan.cost_after = window.cost() + expansion_count * kEditCost - plan.collapse_count * kEditCost;
    return plan;
}

WindowReport report_window(const Window& window, const EditPlan& applied) {
    WindowReport report;
    report.utilisation =
        static_cast<double>(window.cost()) / static_cast<double>(window.budget_entries());
    double age_sum = 0;
    for (const WindowEntry& slot : window.entries()) {
        age_sum += static_cast<double>(window.age_steps(slot));
    }
    if (!window.entries().empty()) {
        report.residency_steps_mean = age_sum / static_cast<double>(window.entries().size());
    }
    Candidates standing(&precedes);
    add_standing(window, kNoLimits, standing);
    report.expanded_count = standing.size();
    const std::uint64_t expansions = applied.edits.size() - applied.collapse_count;
    const std::uint64_t expanded_before =
        report.expanded_count + applied.collapse_count - expansions;
    if (expanded_before > 0) {
        report.swap_rate =
            static_cast<double>(applied.collapse_count) / static_cast<double>(expanded_before);
    }
    return report;
}

}  // namespace mc
