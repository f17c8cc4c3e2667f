// SPDX-License-Identifier: Apache-2.0
#include "working_context/expansion_choice.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "core/span_math.h"

namespace mc {
namespace {

// best[room]: the largest value that the candidates visited so far give within that room.
using BestByRoom = std::vector<double>;

bool is_below(NodeId node, NodeId above) {
    return node.document == above.document && span_of(above).contains(span_of(node));
}

class ForestKnapsack {
  public:
    ForestKnapsack(std::span<const ExpansionCandidate> candidates, std::uint64_t room)
        : candidates_(candidates),
          room_(std::min<std::uint64_t>(room, candidates.size())),
          end_of_subtree_(candidates.size()),
          taken_(candidates.size() * (room_ + 1)),
          chosen_(candidates.size()) {}

    std::vector<bool> choose() {
        BestByRoom best(room_ + 1, 0.0);
        for (std::size_t root = 0; root < candidates_.size();) root = visit(root, best);
        trace(0, candidates_.size(), room_);
        return std::move(chosen_);
    }

  private:
    // Decides the subtree of a candidate for every room; returns where the next subtree begins.
    // Depth of the recursion: the levels of a tree.
    std::size_t visit(std::size_t at, BestByRoom& best) {
        const ExpansionCandidate& candidate = candidates_[at];
        BestByRoom with(best.size(), -std::numeric_limits<double>::infinity());
        const std::size_t cost = candidate.is_forced ? 0 : 1;
        for (std::size_t room = cost; room < best.size(); ++room) {
            with[room] = best[room - cost] + candidate.value;
        }
        std::size_t next = at + 1;
        while (next < candidates_.size() && is_below(candidates_[next].node, candidate.node)) {
            next = visit(next, with);
        }
        end_of_subtree_[at] = next;
        for (std::size_t room = cost; room < best.size(); ++room) {
            const bool wins = with[room] > best[room] || candidate.is_forced ||
                              (candidate.is_standing && with[room] == best[room]);
            if (!wins) continue;
            best[room] = with[room];
            taken_[at * best.size() + room] = true;
        }
        return next;
    }

    // Walks the decisions back from the last subtree of [begin, end) to the first; returns the room
    // left over for what was visited before begin.
    std::size_t trace(std::size_t begin, std::size_t end, std::size_t room) {
        std::vector<std::size_t> siblings;
        for (std::size_t at = begin; at < end; at = end_of_subtree_[at]) siblings.push_back(at);
        for (auto at = siblings.rbegin(); at != siblings.rend(); ++at) {
            if (!taken_[*at * (room_ + 1) + room]) continue;
            chosen_[*at] = true;
            room = trace(*at + 1, end_of_subtree_[*at], room);
            if (!candidates_[*at].is_forced) --room;
        }
        return room;
    }

    std::span<const ExpansionCandidate> candidates_;
    std::size_t room_;
    std::vector<std::size_t> end_of_subtree_;
    std::vector<bool> taken_;  // (candidate, room)
    std::vector<bool> chosen_;
};

}  // namespace

bool precedes(NodeId a, NodeId b) {
    const auto key = [](NodeId node) {
        return std::tuple(node.document.value, span_of(node).begin, -int{node.level.value});
    };
    return key(a) < key(b);
}

std::vector<bool> choose_expansions(std::span<const ExpansionCandidate> candidates,
                                    std::uint64_t room) {
    return ForestKnapsack(candidates, room).choose();
}

}  // namespace mc
