// SPDX-License-Identifier: Apache-2.0
// Questions against a bank: candidates, a working context within budget, evidence, an answer.
//
// ask(): question tokens → candidates from both indexes → coarsest cover of the chosen documents →
// policy scores → allocator plan → edits → evidence; the base model may then read the working
// context and answer. The window persists between questions, so the REPL can look at it and edit
// it. Ownership: borrows the session. Threads: one. Errors: kInvalidInput for an empty question or
// an unknown document; kUsage for an unknown policy; kOverBudget when the budget cannot hold the
// coarsest cover of even one document, naming the smallest that can.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "lm/base_model.h"
#include "lm/generate.h"
#include "runtime/bank_session.h"
#include "runtime/evidence.h"
#include "working_context/allocator.h"
#include "working_context/focus_scorer.h"
#include "working_context/window.h"

namespace mc::runtime {

struct QueryOptions {
    std::string policy = "hybrid";
    std::uint64_t budget = 1024;        // entries of the working context
    std::vector<DocumentId> documents;  // empty: chosen by the candidates
    std::size_t evidence_count = 5;
    std::uint64_t seed = 1;  // of policy random
};

struct QueryReport {
    std::string question;
    std::string policy;
    std::uint64_t budget = 0;
    std::uint64_t cost = 0;            // entries in use
    std::uint64_t covered_tokens = 0;  // raw tokens that the entries stand for
    std::size_t edits = 0;
    std::vector<Evidence> evidence;  // best first
    double seconds_search = 0;
    double seconds_focus = 0;
};

struct AnswerOptions {
    std::uint32_t tokens_max = 128;
    lm::SamplingOptions sampling{.repetition_penalty = kRepetitionPenalty};
    std::uint64_t seed = 1;
    std::vector<std::string> stop_strings;
    lm::TextCallback on_text;                        // text as it comes; false stops the answer
    const std::atomic<bool>* interrupted = nullptr;  // stops the answer when set

    // Greedy text of a small model falls into loops without it; the value of the CTRL paper.
    static constexpr float kRepetitionPenalty = 1.2F;
};

struct Answer {
    std::string text;
    std::uint32_t prompt_entries = 0;
    std::uint32_t new_tokens = 0;
    lm::StopReason stop_reason = lm::StopReason::kTokensMax;
    double seconds_to_first_token = 0;
    double seconds = 0;
};

class FocusSession {
  public:
    explicit FocusSession(BankSession& bank) : bank_(bank) {}

    // Refocuses the window on a question and returns the evidence.
    Result<QueryReport> ask(const std::string& question, const QueryOptions& options);

    // What the reader sees of the last question: the window inside the base model's chat template,
    // up to where the answer starts. Gists are borrowed from the session until the next call of
    // this, ask() or answer(). Cost: reads the window's tokens and gists from the store.
    Result<std::vector<lm::Segment>> reader_prompt();

    // Lets the base model answer the last question from reader_prompt(). Requires: ask() succeeded.
    Result<Answer> answer(const AnswerOptions& options);

    // Ranked spans without touching the window: plain search by "bm25", "cosine" or "hybrid".
    Result<std::vector<Evidence>> search(const std::string& question, const QueryOptions& options);

    // The window after the last ask() or edit; nullptr before.
    const Window* window() const { return window_ ? &*window_ : nullptr; }

    Result<void> expand(NodeId node);
    Result<void> collapse(NodeId node);

  private:
    Result<Candidates> find_candidates(const std::string& question, const QueryOptions& options);
    Result<std::vector<DocumentRecord>> choose_documents(const Candidates& candidates,
                                                         const QueryOptions& options) const;
    Result<void> prepare_window(const std::vector<DocumentRecord>& documents,
                                const QueryOptions& options, std::uint64_t reserved_entries);
    Result<BlockScores> refocus(const Candidates& candidates, const QueryOptions& options,
                                QueryReport& report);
    Result<std::vector<lm::Segment>> window_segments();
    Result<void> record_use(const std::vector<Evidence>& evidence);

    BankSession& bank_;
    std::optional<Window> window_;
    std::string question_;
    std::deque<Gist> gists_read_;  // what window_segments() points into
};

}  // namespace mc::runtime
