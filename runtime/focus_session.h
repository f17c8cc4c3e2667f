// SPDX-License-Identifier: Apache-2.0
// Questions against a bank: candidates, a working context within budget, evidence, an answer.
//
// ask(): question tokens → candidates from both indexes → coarsest cover of the chosen documents →
// policy scores → allocator plan → edits → evidence; the base model may then read the working
// context and answer. The window persists between questions, so the REPL can look at it and edit it.
// Ownership: borrows the session. Threads: one. Errors: kInvalidInput for an empty question or an
// unknown document; kUsage for an unknown policy; kOverBudget when the budget cannot hold the
// coarsest cover of even one document, naming the smallest that can.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "runtime/bank_session.h"
#include "working_context/allocator.h"
#include "working_context/focus_scorer.h"
#include "working_context/window.h"

namespace mc::runtime {

struct QueryOptions {
    std::string policy = "hybrid";
    std::uint64_t budget = 1024;           // entries of the working context
    std::vector<DocumentId> documents;     // empty: chosen by the candidates
    std::size_t evidence_count = 5;
    std::uint64_t seed = 1;                // of policy random
};

// A stretch of text that the working context holds because of the question.
struct Evidence {
    DocumentRecord document;
    TokenSpan tokens;
    ByteSpan bytes;
    Level level;        // 0: raw in the window; n: read as a gist of that level
    double score = 0;   // of the policy, see why
    std::string why;    // "bm25 rank 1, cosine rank 7"
    std::string text;
};

struct QueryReport {
    std::string question;
    std::string policy;
    std::uint64_t budget = 0;
    std::uint64_t cost = 0;            // entries in use
    std::uint64_t covered_tokens = 0;  // raw tokens that the entries stand for
    std::size_t edits = 0;
    std::vector<Evidence> evidence;    // best first
    double seconds_search = 0;
    double seconds_focus = 0;
};

struct AnswerOptions {
    std::uint32_t tokens_max = 128;
    double temperature = 0;  // 0: greedy
    std::uint64_t seed = 1;
    std::function<void(std::string_view)> on_text;  // whole UTF-8 characters, as they come
};

struct Answer {
    std::string text;
    std::uint32_t prompt_entries = 0;
    std::uint32_t new_tokens = 0;
    double seconds_to_first_token = 0;
    double seconds = 0;
};

class FocusSession {
  public:
    explicit FocusSession(BankSession& bank) : bank_(bank) {}

    // Refocuses the window on a question and returns the evidence.
    Result<QueryReport> ask(const std::string& question, const QueryOptions& options);

    // Lets the base model answer the last question from the window. Requires: ask() succeeded.
    Result<Answer> answer(const AnswerOptions& options);

    // Ranked spans without touching the window: plain search by "bm25", "cosine" or "hybrid".
    Result<std::vector<Evidence>> search(const std::string& question, const QueryOptions& options);

    // The window after the last ask() or edit; nullptr before.
    const Window* window() const { return window_ ? &*window_ : nullptr; }

    Result<void> expand(NodeId node);
    Result<void> collapse(NodeId node);
    // "d1 [L2 L2 ▂raw96 L1 …]": the level strip of the window, one line per document.
    std::string window_strip() const;

  private:
    struct Candidates {
        std::vector<SearchHit> bm25;
        std::vector<SearchHit> cosine;
    };

    Result<Candidates> find_candidates(const std::string& question,
                                       const std::vector<DocumentId>& documents);
    Result<std::vector<DocumentRecord>> choose_documents(const Candidates& candidates,
                                                         const QueryOptions& options) const;
    Result<std::vector<Evidence>> collect_evidence(const Candidates& candidates,
                                                   const std::vector<NodeScore>& scores,
                                                   const QueryOptions& options) const;

    BankSession& bank_;
    std::optional<Window> window_;
    std::string question_;
    std::uint64_t step_ = 0;
};

}  // namespace mc::runtime
