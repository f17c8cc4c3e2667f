// SPDX-License-Identifier: Apache-2.0
// Questions against a bank: candidates, a working context within budget, evidence, an answer.
//
// The policy decides the form of the working context. `passages` (the default) and `lensnet` make
// the answering form: the best passages, as many as are worth reading, and background gists on
// request; a question to which no passage speaks gets an empty one. `passages` goes by a rule on
// what the search says, `lensnet` by what LensNet expects each passage to gain its reader. Every
// other policy makes the narrative
// form: a cover of whole documents with detail where the policy wants it. The window persists
// between questions, so the REPL can look at it and edit a narrative one. Several banks are one
// ranking, since scores are absolute; that is of policy passages alone, and a name leads on within
// its bank. Ownership: borrows the sessions. Threads: one. Errors: kInvalidInput for an empty
// question or an unknown document; kUsage for an unknown policy, and for several banks with another
// than passages; kOverBudget when the budget cannot hold the question, or for a narrative
// form the coarsest cover of even one document, naming the smallest that can.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/config.h"
#include "core/result.h"
#include "lensnet/signals.h"
#include "lm/base_model.h"
#include "lm/generate.h"
#include "reader/chat_server.h"
#include "runtime/bank_session.h"
#include "runtime/recall_filter.h"
#include "runtime/search/evidence.h"
#include "working_context/allocator.h"
#include "working_context/answer_window.h"
#include "working_context/focus_scorer.h"
#include "working_context/window.h"

namespace mc::runtime {

// The policies that make the answering form.
inline constexpr std::string_view kPassagesPolicy = kPolicyNames[0];
inline constexpr std::string_view kLensPolicy = kPolicyNames[1];

inline bool makes_answering_form(std::string_view policy) {
    return policy == kPassagesPolicy || policy == kLensPolicy;
}

// Passages of a question that LensNet weighs.
inline constexpr std::size_t kLensCandidates = 8;

struct QueryOptions {
    std::string policy{kPassagesPolicy};
    std::uint64_t budget = 1024;  // entries of the working context
    RecallScope scope;            // where to look; a narrative window covers what it names
    std::size_t evidence_count = 5;
    std::uint64_t seed = 1;                // of policy random
    std::uint64_t background_entries = 0;  // of policy passages: most gists in front
    PassageRule rule;                      // of policy passages
};

struct QueryReport {
    std::string question;
    std::string policy;
    std::uint64_t budget = 0;
    std::uint64_t cost = 0;            // entries in use
    std::uint64_t covered_tokens = 0;  // tokens of memory that the entries stand for
    std::size_t edits = 0;
    bool known = true;               // false: no passage is likely to answer
    std::vector<Evidence> evidence;  // best first
    double seconds_search = 0;
    double seconds_focus = 0;
};

struct AnswerOptions {
    std::uint32_t tokens_max = 128;
    std::uint32_t sentences_max = 1;  // 0: as many as the model writes
    lm::SamplingOptions sampling;     // greedy; a repetition is cut off, so none is penalised
    std::uint64_t seed = 1;
    std::vector<std::string> stop_strings;
    lm::TextCallback on_text;                        // text as it comes; false stops the answer
    const std::atomic<bool>* interrupted = nullptr;  // stops the answer when set
    // Writes in the base model's place, from passages as text; null: nobody. Of the settings of
    // sampling it is told temperature and seed.
    const reader::ChatServer* outside_reader = nullptr;
    // Gists in the place of the program's own instruction to the base model; borrowed, null: none.
    const std::vector<Gist>* instruction = nullptr;
};

// Why an answer ended: the model's own reasons, and ours.
enum class AnswerEnd {
    kEndOfText,
    kStopString,
    kTokensMax,
    kContextFull,
    kStopped,
    kSentence,  // sentences_max were written
    kLoop,      // the model began to repeat itself; the repetition is cut off
    kUnknown,   // the memory does not tell; the model was not asked
};

// "end_of_text", …, "sentence", "loop", "unknown".
std::string_view name_of(AnswerEnd end);

struct Answer {
    std::string text;
    // Ranks in the question's evidence of those that the answer's words come from; empty when they
    // come from none.
    std::vector<std::size_t> sources;
    std::string reader;  // the model that wrote it, as its server calls it; empty: the base model
    std::uint32_t prompt_entries = 0;
    std::uint32_t new_tokens = 0;
    AnswerEnd stop_reason = AnswerEnd::kTokensMax;
    double seconds_to_first_token = 0;
    double seconds = 0;
};

class FocusSession {
  public:
    explicit FocusSession(BankSession& bank) : FocusSession(std::vector<BankSession*>{&bank}) {}

    // Requires: banks of one engine, at least one, none twice.
    explicit FocusSession(std::vector<BankSession*> banks)
        : banks_(std::move(banks)), bank_(*banks_.front()) {}

    // Refocuses the window on a question and returns the evidence.
    Result<QueryReport> ask(const std::string& question, const QueryOptions& options);

    // What the reader sees of the last question: the window inside the base model's chat template,
    // up to where the answer starts; instruction as in AnswerOptions. Gists are borrowed from the
    // session until the next call of this, ask() or answer(). Cost: reads the window's tokens and
    // gists from the store.
    Result<std::vector<lm::Segment>> reader_prompt(const std::vector<Gist>* instruction = nullptr);

    // Lets the base model answer the last question from reader_prompt(), or another reader from its
    // passages. Requires: ask() succeeded.
    Result<Answer> answer(const AnswerOptions& options);

    // Ranked passages without touching the window: plain search by "bm25", "cosine" or both, of
    // what stands.
    Result<std::vector<Evidence>> search(const std::string& question, const QueryOptions& options);

    // A passage that was found for the last question.
    struct Considered {
        RankedPassage ranked;  // its choice: why it stands in the window, or does not
        DocumentRecord document;
        std::string text;  // UTF-8; invalid bytes replaced
    };

    // The best of what the last question found, in their order. Errors: kInvalidInput before a
    // question, and for a window that covers documents; the store's.
    Result<std::vector<Considered>> considered(std::size_t count) const;

    // What LensNet weighs for a question, with all signals: for those who train it. Leaves the
    // window alone. Requires: the engine has a model.
    struct Candidates {
        std::vector<RankedPassage> passages;  // at most kLensCandidates, as the rule ranks them
        std::vector<lensnet::Signals> signals;
        std::vector<TokenSpan> shown;  // of each, what a window would show of it
    };

    Result<Candidates> candidates(const std::string& question, const QueryOptions& options);

    // The window after the last ask() or edit, whichever form it has; nullptr before, and for the
    // other form.
    const Window* window() const { return window_ ? &*window_ : nullptr; }

    const AnswerWindow* answer_window() const {
        return answer_window_ ? &*answer_window_ : nullptr;
    }

    // Of a narrative window.
    Result<void> expand(NodeId node);
    Result<void> collapse(NodeId node);

  private:
    // A bank, opened for search.
    struct Home {
        BankSession* bank = nullptr;
        const BankSearch* search = nullptr;
    };

    // A question and all that is made of it once.
    struct Asked {
        std::string text;
        std::vector<TokenId> tokens;
        std::vector<RankedPassage> ranking;
        std::size_t wanted = 0;                 // the ranking's first, which are worth reading
        PassageHits hits;                       // of the last bank
        std::map<DocumentId, Home> homes;       // of the documents that the ranking names
        std::vector<DocumentRecord> shortened;  // as RecallScope has it

        HomeOf home_of() const;
    };

    Result<void> show_versions(const RecallScope& scope);
    void hide_versions();
    Result<QueryReport> ask_with_versions(const std::string& question, const QueryOptions& options);
    Result<std::vector<Home>> open_homes();
    Result<Asked> search_for(const std::string& question, const QueryOptions& options);
    Result<void> search_in(const Home& home, const QueryOptions& options, Asked& asked);
    Result<void> add_leads(std::span<const Home> homes, const QueryOptions& options, Asked& asked);
    Result<void> weigh_by_lens(Asked& asked);
    Result<void> focus_on_passages(const QueryOptions& options, QueryReport& report);
    Result<void> fill_answer_window(const QueryOptions& options,
                                    std::span<const Stretch> stretches);
    Result<void> add_background(const QueryOptions& options);

    Result<void> focus_narrative(const QueryOptions& options, FocusScorer& policy,
                                 QueryReport& report);
    Result<std::vector<DocumentRecord>> choose_documents(const QueryOptions& options);
    Result<void> prepare_window(const std::vector<DocumentRecord>& documents,
                                const QueryOptions& options);
    Result<BlockScores> refocus(const QueryOptions& options, FocusScorer& policy,
                                QueryReport& report);

    Result<Answer> answer_outside(const AnswerOptions& options);
    Result<std::vector<lm::Segment>> window_segments();
    Result<std::vector<lm::Segment>> answer_segments();
    Result<const Gist*> read_gist(NodeId node);
    Result<void> edit(Edit::Kind kind, NodeId node);
    Result<void> record_use(const std::vector<Evidence>& evidence);
    // The bank of a document that the last question found, or that the window covers.
    BankSession& bank_of(DocumentId document) const;
    // Its record, as of the time that the last question was about.
    Result<DocumentRecord> record_of(DocumentId document) const;

    const std::vector<BankSession*> banks_;
    BankSession& bank_;  // the first; of a narrative window the only one
    std::optional<Window> window_;
    std::optional<AnswerWindow> answer_window_;
    std::optional<Asked> asked_;
    std::vector<Evidence> evidence_;       // of the last question
    bool known_ = true;                    // of the last question
    std::deque<Gist> gists_read_;          // what segments point into
    std::optional<GistGroup> group_read_;  // of the gist read last
};

}  // namespace mc::runtime
