// SPDX-License-Identifier: Apache-2.0
// Memories of the suite `answers` as banks of a store, asked as `query` asks.
//
// Ownership: borrows the engine. Threads: one. Errors: those of ingest, search and the store;
// kInvalidInput for a bank that holds other documents.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/answers/answer_ports.h"
#include "eval/answers/passage_source.h"
#include "runtime/bank_session.h"
#include "runtime/focus_session.h"

namespace mc::eval {

class BankMemory final : public Memory {
  public:
    // Ingests the documents that the bank lacks, and with_gists makes the gists that they wait for.
    static Result<std::unique_ptr<BankMemory>> open(runtime::Engine& engine,
                                                    const std::string& bank_name,
                                                    const MemoryText& text, bool with_gists,
                                                    const std::atomic<bool>* cancelled);

    Result<std::optional<RowPrompt>> prompt(const AnswerRow& row, const AnswerItem& item,
                                            const PlacedItem& placed) override;

    // What LensNet weighs for an item, and the same as places of the memory's text.
    struct Weighed {
        runtime::FocusSession::Candidates candidates;
        std::vector<FoundSpan> spans;
    };

    Result<Weighed> weigh(const AnswerItem& item, const PlacedItem& placed);

    // The prompt that shows some passages, in the order in which they were told.
    Result<std::vector<lm::Segment>> prompt_showing(const std::string& question,
                                                    std::vector<FoundPassage> passages);
    // The prompt that shows gists instead; they are borrowed until the memory is gone.
    Result<std::vector<lm::Segment>> prompt_showing_gists(const std::string& question,
                                                          const Passage& passage);

  private:
    // A document of the memory, and its tokens.
    using Stored = std::pair<DocumentId, std::uint64_t>;

    explicit BankMemory(runtime::Engine& engine) : engine_(engine) {}

    Result<void> ingest(const MemoryText& text, const std::atomic<bool>* cancelled);
    Result<void> make_gists(const std::atomic<bool>* cancelled);
    Result<RowPrompt> make_prompt(const AnswerRow& row, const std::string& question,
                                  const PlacedItem& placed);
    Result<RowPrompt> window_prompt(const AnswerRow& row, const std::string& question,
                                    const PlacedItem& placed);
    Result<RowPrompt> passage_prompt(const AnswerRow& row, const std::string& question,
                                     const PlacedItem& placed);
    Result<RowPrompt> oracle_prompt(const std::string& question, const PlacedItem& placed);
    Result<RowPrompt> raw_prompt(const std::string& question, const PlacedItem& placed);
    Result<RowPrompt> gist_prompt(const std::string& question, const PlacedItem& placed);
    Result<RowPrompt> text_prompt(const std::string& question,
                                  std::span<const FoundPassage> passages);
    Result<RowPrompt> around(const std::string& question, std::vector<lm::Segment> middle);
    Result<void> add_cover(const Stored& document, std::vector<lm::Segment>& segments);

    // What a question may look at.
    std::span<const Stored> scope_of(const PlacedItem& placed) const;
    // The same as a filter: empty when it is everything.
    static std::vector<DocumentId> filter_of(std::span<const Stored> scope,
                                             const PlacedItem& placed);
    std::vector<FoundSpan> spans_of(std::span<const FoundPassage> passages) const;

    runtime::Engine& engine_;
    std::unique_ptr<runtime::BankSession> bank_;
    std::vector<std::unique_ptr<PassageSource>> sources_;
    std::vector<Stored> documents_;                 // in the order of the memory's text
    std::optional<runtime::FocusSession> session_;  // of the last window
    std::deque<Gist> gists_;                        // of the last cover
    std::deque<Gist> shown_gists_;                  // of prompt_showing_gists()
};

}  // namespace mc::eval
