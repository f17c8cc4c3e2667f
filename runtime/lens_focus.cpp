// SPDX-License-Identifier: Apache-2.0
// FocusSession's policy lensnet: the passages that LensNet expects to gain the reader something.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <utility>

#include "lensnet/choice.h"
#include "lensnet/lens.h"
#include "runtime/candidate_signals.h"
#include "runtime/focus_session.h"

namespace mc::runtime {
namespace {

// What is said of a gain: its largest parts, those that can be seen.
constexpr std::size_t kPartsSaid = 3;
constexpr double kPartSaidMin = 0.05;

// "cosine +1.20, names -0.30", or nothing.
std::string largest_parts(const std::array<double, lensnet::kSignalCount>& parts) {
    std::vector<std::size_t> order(parts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater(),
                             [&](std::size_t s) { return std::abs(parts[s]); });
    std::string said;
    for (const std::size_t s : std::span(order).first(kPartsSaid)) {
        if (std::abs(parts[s]) < kPartSaidMin) break;
        char part[64];
        std::snprintf(part, sizeof part, "%s%s %+.2f", said.empty() ? "" : ", ",
                      std::string(lensnet::kSignalNames[s]).c_str(), parts[s]);
        said += part;
    }
    return said;
}

}  // namespace

// The rule's first candidates in the order of their gains. The best is worth reading if it gains
// enough for the memory to tell at all, the others if they gain more than they cost the best.
Result<void> FocusSession::weigh_by_lens(Asked& asked) {
    MC_ASSIGN(const lensnet::Lens* const lens, bank_.engine().lens());
    if (lens == nullptr)
        return fail(ErrorCode::kUsage,
                    "the program's LensNet was made for another base model or another sentence "
                    "embedder; choose another policy, or train one with: megacontext train "
                    "lensnet");
    const std::size_t count = std::min(asked.ranking.size(), kLensCandidates);
    const std::span<RankedPassage> weighed = std::span(asked.ranking).first(count);
    const SignalChoice choice{lens->facts().reads_passages, lens->facts().reads_gists};
    MC_ASSIGN(const auto signals,
              candidate_signals(bank_, asked.text, weighed, asked.ranking, choice));
    const std::vector<double> gains = lens->gains(signals);
    for (std::size_t i = 0; i < count; ++i) {
        weighed[i].gain = gains[i];
        weighed[i].gain_parts = largest_parts(lens->parts(signals, i));
    }
    std::ranges::stable_sort(weighed, std::greater(), [](const auto& one) { return *one.gain; });
    const bool known = count > 0 && *weighed.front().gain >= lens->facts().known_gain_min;
    // The choice is the first of the order just made.
    asked.wanted = known ? lensnet::choice_by(gains, lens->facts().passage_price).size() : 0;
    for (std::size_t i = 0; i < asked.ranking.size(); ++i)
        asked.ranking[i].choice = i == 0 && known    ? PassageChoice::kBest
                                  : i < asked.wanted ? PassageChoice::kGain
                                  : !known           ? PassageChoice::kUnlikely
                                  : i < count        ? PassageChoice::kLittleGain
                                                     : PassageChoice::kBeyondCount;
    return {};
}

Result<FocusSession::Candidates> FocusSession::candidates(const std::string& question,
                                                          const QueryOptions& options) {
    QueryOptions by_rule = options;
    by_rule.policy = kPassagesPolicy;
    MC_ASSIGN(Asked asked, search_for(question, by_rule));
    Candidates out;
    const std::size_t count = std::min(asked.ranking.size(), kLensCandidates);
    out.passages.assign(asked.ranking.begin(),
                        asked.ranking.begin() + static_cast<std::ptrdiff_t>(count));
    MC_ASSIGN(out.signals, candidate_signals(bank_, question, out.passages, asked.ranking, {}));
    MC_ASSIGN(const BankSearch* const search, bank_.search());
    for (const RankedPassage& one : out.passages) {
        MC_ASSIGN(const auto stretch,
                  stretches_of(bank_.text(), search->index(), std::span(&one, 1), 1));
        out.shown.push_back(stretch.front().tokens);
    }
    return out;
}

}  // namespace mc::runtime
