// SPDX-License-Identifier: Apache-2.0
#include "runtime/search/leads.h"

#include <algorithm>

#include "core/utf8.h"
#include "text/full_names.h"

namespace mc::runtime {
namespace {

// A name in more passages than these leads nowhere in particular.
constexpr std::size_t kNameHitsMax = 12;
// Share of a name's words that a passage must hold; less than one, because longer passages are
// rated lower.
constexpr double kNameShareMin = 0.6;
// Names looked up for one question.
constexpr std::size_t kNamesMax = 4;

bool is_among(const Passage& passage, std::span<const RankedPassage> ranked) {
    return std::ranges::any_of(ranked, [&](const auto& one) { return one.passage == passage; });
}

class Leads {
  public:
    Leads(const BankText& text, const BankSearch& search, const std::string& question,
          std::span<const RankedPassage> found, std::span<const PassageRange> ranges)
        : text_(text), search_(search), question_(question), found_(found), ranges_(ranges) {}

    Result<std::vector<RankedPassage>> follow() {
        // What a lead names is followed too: found_ and leads_ together.
        for (std::size_t i = 0; i < found_.size() + leads_.size(); ++i) {
            if (leads_.size() >= kLeadsMax || names_.size() >= kNamesMax) break;
            const Passage passage =
                i < found_.size() ? found_[i].passage : leads_[i - found_.size()].passage;
            MC_ASSIGN(const std::string words, text_.read_text(passage.document, passage.tokens));
            for (const std::string& name : text::full_names(to_valid_utf8(words)))
                MC_TRY(follow_name(name));
        }
        return std::move(leads_);
    }

  private:
    Result<void> follow_name(const std::string& name) {
        const bool asked = question_.find(name) != std::string::npos;
        if (asked || std::ranges::find(names_, name) != names_.end()) return {};
        if (names_.size() >= kNamesMax || leads_.size() >= kLeadsMax) return {};
        names_.push_back(name);
        MC_ASSIGN(std::vector<PassageHit> holders,
                  search_.index().search_words(name, kNameHitsMax + 1, ranges_));
        std::erase_if(holders, [](const auto& hit) { return double{hit.score} < kNameShareMin; });
        if (holders.size() > kNameHitsMax) return {};
        MC_ASSIGN(const PassageHits hits,
                  search_.find(question_ + " " + name, kCandidateCount, ranges_));
        const RankedPassage* best = nullptr;
        const auto ranking = rank_passages(hits.by_words, hits.by_vectors, {});
        for (const RankedPassage& one : ranking) {
            const bool holds = std::ranges::any_of(
                holders, [&](const auto& hit) { return hit.passage == one.passage; });
            if (!holds || is_among(one.passage, found_) || is_among(one.passage, leads_)) continue;
            // Of those that are nearly as good the newest: what was so may have changed.
            const bool as_good =
                best != nullptr && one.score >= best_score_ - PassageRule().gap_max;
            if (best == nullptr) best_score_ = one.score;
            if (best == nullptr || (as_good && one.passage > best->passage)) best = &one;
        }
        if (best == nullptr) return {};
        leads_.push_back(*best);
        leads_.back().lead = name;
        return {};
    }

    const BankText& text_;
    const BankSearch& search_;
    const std::string& question_;
    std::span<const RankedPassage> found_;
    std::span<const PassageRange> ranges_;
    std::vector<std::string> names_;  // looked up
    std::vector<RankedPassage> leads_;
    double best_score_ = 0;
};

}  // namespace

Result<std::vector<RankedPassage>> follow_leads(const BankText& text, const BankSearch& search,
                                                const std::string& question,
                                                std::span<const RankedPassage> found,
                                                std::span<const PassageRange> ranges) {
    return Leads(text, search, question, found, ranges).follow();
}

}  // namespace mc::runtime
