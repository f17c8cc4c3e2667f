// SPDX-License-Identifier: Apache-2.0
#include "working_context/policies.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <queue>
#include <set>
#include <span>
#include <string>

#include "core/config.h"
#include "core/rng.h"
#include "working_context/hit_fusion.h"

namespace mc {
namespace {

// A gist of 32 gists is worth half of the best that opening it leads to: enough to pull a path
// towards evidence, too little to outbid evidence itself.
constexpr double kAncestorDiscount = 0.5;

using Gains = std::map<NodeId, double>;
using Scores = Result<std::vector<NodeScore>>;

// Evidence for a node, and with it for the path that leads there.
void add_evidence(const Window& window, NodeId node, double gain, Gains& gains) {
    if (!(gain > 0) || !window.admits(node)) return;
    std::optional<NodeId> above = node;
    while (above) {
        double& best = gains[*above];
        best = std::max(best, gain);
        gain *= kAncestorDiscount;
        above = window.node_above(Entry::gist(*above));
    }
}

std::vector<NodeScore> to_scores(const Gains& gains) {
    std::vector<NodeScore> scores;
    scores.reserve(gains.size());
    for (const auto& [node, gain] : gains) scores.push_back({node, gain});
    return scores;
}

// The coarsest cover that collapses could lead to: where every path begins.
struct CoarsestCover {
    std::vector<NodeId> roots;  // in reading order
    std::uint64_t cost = 0;     // raw tokens and the reserve included
};

CoarsestCover coarsest_cover_of(const Window& window) {
    CoarsestCover cover;
    cover.cost = window.reserved_entries();
    for (const WindowEntry& slot : window.entries()) {
        Entry top = slot.entry;
        while (const auto above = window.node_above(top)) top = Entry::gist(*above);
        if (top.is_raw()) {
            cover.cost += top.cost();
        } else if (cover.roots.empty() || cover.roots.back() != top.node()) {
            cover.roots.push_back(top.node());
            ++cover.cost;
        }
    }
    return cover;
}

// Expansions that the budget can pay for: no rule needs to score more blocks than that.
std::uint64_t expansions_max(const Window& window, const CoarsestCover& cover) {
    return (window.budget_entries() - cover.cost) / kEditCost;
}

// Level 1 blocks of a selection: [first, last) of those that lie within its range.
std::pair<std::uint64_t, std::uint64_t> block_range(const Selection& selection) {
    const std::uint64_t end = std::min(selection.range.end, selection.shape.gist_end) / kBlockSize;
    const std::uint64_t begin = (selection.range.begin + kBlockSize - 1) / kBlockSize;
    return {begin, std::max(begin, end)};
}

Scores score_recency(const Window& window, const FocusRequest&) {
    Gains gains;
    const std::uint64_t wanted = expansions_max(window, coarsest_cover_of(window));
    std::uint64_t found = 0;
    const auto& selections = window.selections();
    for (auto selection = selections.rbegin(); selection != selections.rend(); ++selection) {
        const auto [first, last] = block_range(*selection);
        for (std::uint64_t block = last; block > first && found < wanted; --block) {
            const NodeId node{selection->shape.document, Level(1), NodeIndex(block - 1)};
            if (!window.admits(node)) continue;
            const auto rank = static_cast<double>(wanted - found++);
            add_evidence(window, node, rank / static_cast<double>(wanted), gains);
        }
    }
    return to_scores(gains);
}

// The level 1 block at a position in the row of all selections' blocks.
NodeId block_at(const Window& window, std::uint64_t position) {
    for (const Selection& selection : window.selections()) {
        const auto [first, last] = block_range(selection);
        if (position < last - first) {
            return {selection.shape.document, Level(1), NodeIndex(first + position)};
        }
        position -= last - first;
    }
    MC_CHECK(false, "position beyond the last block");
    return {};
}

// Distinct blocks, by Floyd's sampling (Bentley and Floyd 1987), each with a random gain.
Scores score_random(const Window& window, const FocusRequest& request) {
    std::uint64_t block_count = 0;
    for (const Selection& selection : window.selections()) {
        const auto [first, last] = block_range(selection);
        block_count += last - first;
    }
    const std::uint64_t wanted =
        std::min(block_count, expansions_max(window, coarsest_cover_of(window)));
    std::set<std::uint64_t> drawn;
    Gains gains;
    Rng rng(request.seed);
    for (std::uint64_t newest = block_count - wanted; newest < block_count; ++newest) {
        std::uint64_t position = rng.below(newest + 1);
        if (!drawn.insert(position).second) {
            position = newest;
            drawn.insert(position);
        }
        add_evidence(window, block_at(window, position), 1 - rng.uniform(), gains);
    }
    return to_scores(gains);
}

// Level by level from the top, so that no block is two levels finer than another while room lasts;
// the last level that is reached is opened at even distances.
Scores score_uniform(const Window& window, const FocusRequest&) {
    const CoarsestCover cover = coarsest_cover_of(window);
    std::map<Level, std::vector<NodeId>, std::greater<>> by_level;
    for (const NodeId root : cover.roots) by_level[root.level].push_back(root);
    Gains gains;
    std::uint64_t room = expansions_max(window, cover);
    for (auto at = by_level.begin(); at != by_level.end() && room > 0; ++at) {
        auto& [level, nodes] = *at;
        std::sort(nodes.begin(), nodes.end());
        const std::uint64_t opened = std::min<std::uint64_t>(room, nodes.size());
        for (std::uint64_t i = 0; i < opened; ++i) {
            const NodeId node = nodes[(2 * i + 1) * nodes.size() / (2 * opened)];
            gains[node] = level.value;
            for (std::uint64_t slot = 0; level.value >= 2 && slot < kBlockSize; ++slot) {
                by_level[Level(level.value - 1)].push_back(child_of(node, slot));
            }
        }
        room -= opened;
    }
    return to_scores(gains);
}

Result<double> find_mean_nll(const FocusRequest& request, NodeId node) {
    if (request.find_statistics) {
        MC_ASSIGN(const NodeStatistics statistics, request.find_statistics(node));
        if (!std::isnan(statistics.mean_nll)) return double{statistics.mean_nll};
    }
    return fail(ErrorCode::kInvalidInput,
                "the policy keep-high-nll needs statistics that document " +
                    std::to_string(node.document.value) +
                    " does not have; ingest it with --stats or choose another policy");
}

// Opens the node of the highest mean NLL, then the highest of all that are in sight, and so on.
Scores score_high_nll(const Window& window, const FocusRequest& request) {
    const CoarsestCover cover = coarsest_cover_of(window);
    std::priority_queue<std::pair<double, NodeId>> in_sight;
    for (const NodeId root : cover.roots) {
        MC_ASSIGN(const double nll, find_mean_nll(request, root));
        in_sight.emplace(nll, root);
    }
    Gains gains;
    std::uint64_t room = expansions_max(window, cover);
    for (; room > 0 && !in_sight.empty(); --room) {
        const auto [nll, node] = in_sight.top();
        in_sight.pop();
        gains[node] = std::max(nll, 0.0);
        for (std::uint64_t slot = 0; node.level.value >= 2 && slot < kBlockSize; ++slot) {
            const NodeId child = child_of(node, slot);
            MC_ASSIGN(const double child_nll, find_mean_nll(request, child));
            in_sight.emplace(child_nll, child);
        }
    }
    return to_scores(gains);
}

Scores score_hits(const Window& window, const std::vector<SearchHit>& hits) {
    Gains gains;
    for (const SearchHit& hit : hits) add_evidence(window, hit.node, double{hit.score}, gains);
    return to_scores(gains);
}

Scores score_bm25(const Window& window, const FocusRequest& request) {
    return score_hits(window, request.lexical_hits);
}

Scores score_cosine(const Window& window, const FocusRequest& request) {
    return score_hits(window, request.vector_hits);
}

Scores score_hybrid(const Window& window, const FocusRequest& request) {
    const WeightedHits lists[] = {{request.lexical_hits, kLexicalWeight},
                                  {request.vector_hits, kVectorWeight}};
    Gains gains;
    for (const auto& [node, gain] : fuse_hits(lists)) add_evidence(window, node, gain, gains);
    return to_scores(gains);
}

constexpr std::array kRules = {score_recency, score_random, score_uniform, score_high_nll,
                               score_bm25,    score_cosine, score_hybrid};
// The first of the setting make the answering form and score no nodes.
constexpr std::span kNames = std::span(kPolicyNames).subspan<kAnsweringPolicyCount>();
static_assert(kNames.size() == kRules.size());

class RuleScorer final : public FocusScorer {
  public:
    using Rule = Scores (*)(const Window&, const FocusRequest&);

    RuleScorer(std::string_view name, Rule rule) : name_(name), rule_(rule) {}

    std::string_view name() const override { return name_; }

    Scores score(const Window& window, const FocusRequest& request) override {
        return rule_(window, request);
    }

  private:
    std::string_view name_;  // of kPolicyNames
    Rule rule_;
};

}  // namespace

Result<std::unique_ptr<FocusScorer>> make_policy(std::string_view name) {
    const auto found = std::find(kNames.begin(), kNames.end(), name);
    if (found != kNames.end()) {
        const auto rule = kRules[static_cast<std::size_t>(found - kNames.begin())];
        return std::make_unique<RuleScorer>(*found, rule);
    }
    std::string valid;
    for (const std::string_view known : kNames) {
        valid += (valid.empty() ? "" : ", ") + std::string(known);
    }
    return fail(ErrorCode::kUsage,
                "unknown policy '" + std::string(name) + "'; policies are: " + valid);
}

}  // namespace mc
