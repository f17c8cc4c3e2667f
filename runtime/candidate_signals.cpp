// SPDX-License-Identifier: Apache-2.0
#include "runtime/candidate_signals.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>
#include <utility>

#include "core/span_math.h"
#include "runtime/search/reader_text.h"
#include "text/full_names.h"

namespace mc::runtime {
namespace {

using lensnet::Signal;
using lensnet::Signals;

double rank_signal(std::size_t rank) {
    return rank == 0 ? 0 : 1 / static_cast<double>(rank);
}

// (told before − told after) / all, of the rivals of one; 0 without any.
double newer_signal(const RankedPassage& one, std::span<const RankedPassage> candidates) {
    double before = 0;
    double after = 0;
    for (const RankedPassage& other : candidates) {
        const double least = kRivalWordsShare * std::max(one.words, other.words);
        if (other.passage == one.passage || std::min(one.words, other.words) < least) continue;
        (other.passage < one.passage ? before : after) += 1;
    }
    return before + after == 0 ? 0 : (before - after) / (before + after);
}

double neighbour_signal(const RankedPassage& one, std::span<const RankedPassage> ranking) {
    double best = 0;
    for (const RankedPassage& other : ranking) {
        if (other.passage.document != one.passage.document) continue;
        const bool touches = other.passage.tokens.begin == one.passage.tokens.end ||
                             other.passage.tokens.end == one.passage.tokens.begin;
        if (touches) best = std::max(best, other.score);
    }
    return best;
}

double names_signal(std::span<const std::string> names, const std::string& text) {
    if (names.empty()) return 0;
    const auto held = std::ranges::count_if(
        names, [&](const std::string& name) { return text.find(name) != std::string::npos; });
    return static_cast<double>(held) / static_cast<double>(names.size());
}

// Asks the base model how likely the question is behind what a candidate can be shown as.
class QuestionReader {
  public:
    QuestionReader(BankSession& bank, const std::string& question)
        : bank_(bank), question_(bank.text().tokenizer().encode("\n\n" + question)) {}

    // Behind nothing, the other contexts are compared with.
    void add_nothing() { add({}); }

    Result<void> add_text(const Passage& passage) {
        MC_ASSIGN(auto tokens, bank_.text().read_tokens(passage.document, passage.tokens));
        add({lm::Segment::of_tokens(std::move(tokens))});
        return {};
    }

    // false: the passage lies in the document's tail, which has no gists; nothing was added.
    Result<bool> add_gists(const Passage& passage) {
        MC_ASSIGN(auto found, passage_gists(bank_.nodes(), passage));
        std::vector<const Gist*> gists;
        for (Gist& gist : found) gists.push_back(&gists_.emplace_back(std::move(gist)));
        if (gists.empty()) return false;
        add({lm::Segment::of_gists(std::move(gists))});
        return true;
    }

    // For each addition behind the first: nats a token that it gains over the first.
    Result<std::vector<double>> gains() const {
        MC_ASSIGN(const auto nll, bank_.engine().model().score_batch(cases_));
        std::vector<double> means;
        for (const std::vector<float>& one : nll) {
            // The line break that parts them is not asked about: only it may have no predecessor.
            double sum = 0;
            for (std::size_t t = 1; t < one.size(); ++t) sum += double{one[t]};
            means.push_back(sum / static_cast<double>(one.size() - 1));
        }
        std::vector<double> gains;
        for (std::size_t i = 1; i < means.size(); ++i) gains.push_back(means[0] - means[i]);
        return gains;
    }

  private:
    void add(std::vector<lm::Segment> context) {
        context.insert(context.begin(), lm::Segment::of_tokens({bank_.text().tokenizer().bos()}));
        cases_.push_back({std::move(context), question_});
    }

    BankSession& bank_;
    std::vector<TokenId> question_;
    std::deque<Gist> gists_;
    std::vector<lm::ScoringCase> cases_;
};

// All in one batch: behind nothing is asked once.
Result<void> add_likelihoods(BankSession& bank, const std::string& question,
                             std::span<const RankedPassage> candidates, const SignalChoice& choice,
                             std::vector<Signals>& signals) {
    QuestionReader reader(bank, question);
    reader.add_nothing();
    std::vector<double*> asked;  // which signal each addition behind the first makes
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (choice.question_likelihood) {
            MC_TRY(reader.add_text(candidates[i].passage));
            asked.push_back(&signals[i][Signal::kQuestionLikelihood]);
        }
        if (!choice.gist_likelihood) continue;
        MC_ASSIGN(const bool added, reader.add_gists(candidates[i].passage));
        if (added) asked.push_back(&signals[i][Signal::kGistLikelihood]);
    }
    if (asked.empty()) return {};
    MC_ASSIGN(const auto gains, reader.gains());
    for (std::size_t k = 0; k < asked.size(); ++k) *asked[k] = gains[k];
    return {};
}

}  // namespace

Result<std::vector<Gist>> passage_gists(const NodeStore& nodes, const Passage& passage) {
    std::vector<Gist> gists;
    const std::uint64_t last = node_holding(passage.tokens.end - 1, Level(1)).value;
    for (std::uint64_t block = node_holding(passage.tokens.begin, Level(1)).value; block <= last;
         ++block) {
        const NodeId node{passage.document, Level(1), NodeIndex(block)};
        MC_ASSIGN(auto group, nodes.find_gists(node.document, node.level, parent_of(node).index));
        if (group && slot_in_parent(node) < group->gists.size())
            gists.push_back(std::move(group->gists[slot_in_parent(node)]));
    }
    return gists;
}

Result<std::vector<Signals>> candidate_signals(BankSession& bank, const std::string& question,
                                               std::span<const RankedPassage> candidates,
                                               std::span<const RankedPassage> ranking,
                                               const SignalChoice& choice) {
    std::vector<Signals> signals(candidates.size());
    const std::vector<std::string> names = text::capitalised_words(question);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const RankedPassage& one = candidates[i];
        MC_ASSIGN(const std::string text,
                  bank.text().read_text(one.passage.document, one.passage.tokens));
        Signals& out = signals[i];
        out[Signal::kCosine] = one.cosine;
        out[Signal::kWords] = one.words;
        out[Signal::kWordsRank] = rank_signal(one.words_rank);
        out[Signal::kVectorsRank] = rank_signal(one.vectors_rank);
        out[Signal::kNames] = names_signal(names, text);
        out[Signal::kLength] = std::log(static_cast<double>(one.passage.tokens.count()));
        out[Signal::kNewer] = newer_signal(one, candidates);
        out[Signal::kLead] = one.lead.empty() ? 0 : 1;
        out[Signal::kNeighbour] = neighbour_signal(one, ranking);
    }
    MC_TRY(add_likelihoods(bank, question, candidates, choice, signals));
    return signals;
}

}  // namespace mc::runtime
