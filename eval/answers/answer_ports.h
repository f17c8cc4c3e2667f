// SPDX-License-Identifier: Apache-2.0
// Ports of the suite `answers`: the program's memories and its reader. bank_memory.h and
// base_model_reader.h implement them on the program as a user has it, tests by arithmetic.
//
// Threads: one. Errors: those of what implements them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "eval/answers/answer_item.h"
#include "eval/answers/answer_row.h"
#include "eval/answers/memory_plan.h"
#include "lm/model/segment.h"

namespace mc::eval {

// A stretch of a memory that was found for a question.
struct FoundSpan {
    std::size_t document = 0;  // of MemoryText::documents
    TokenSpan tokens;
};

struct RowPrompt {
    std::vector<lm::Segment> segments;  // chat template included; gists are borrowed (Memory)
    std::vector<FoundSpan> found;       // best first; empty for rows that look for nothing
    bool looked = false;                // the row looks for passages
    bool abstains = false;              // the program would say that the memory does not tell
    double search_ms = 0;               // from the question to the segments
};

class Memory {
  public:
    virtual ~Memory() = default;

    // The reader's prompt of a row; nullopt where it does not fit the reader's context, or the row
    // has nothing to show of such an item. Gists of a prompt live until the next call.
    // Requires: the row is not memoryless; placed is the item's in this memory.
    virtual Result<std::optional<RowPrompt>> prompt(const AnswerRow& row, const AnswerItem& item,
                                                    const PlacedItem& placed) = 0;
};

struct ReadRequest {
    std::vector<lm::Segment> prompt;
    std::vector<TokenId> lead;                     // how the answer begins, for the candidates
    std::vector<std::vector<TokenId>> candidates;  // none empty
    std::uint32_t written_tokens = 0;              // 0: write nothing
};

struct Reading {
    std::vector<double> candidate_nll;  // nats, of the whole candidate behind the lead
    std::string written;                // greedy, without the lead
    std::uint64_t entries = 0;          // of the prompt
    double prompt_ms = 0;
    double first_token_ms = 0;  // from the prompt's first entry to the first written token
};

class Reader {
  public:
    virtual ~Reader() = default;
    virtual Result<Reading> read(const ReadRequest& request) = 0;
};

// One store with the memories of a cell in it, and the reader beside it.
class MemoryStore {
  public:
    virtual ~MemoryStore() = default;
    virtual Reader& reader() = 0;
    // Ingests what is not there yet.
    virtual Result<std::unique_ptr<Memory>> open(std::size_t number, const MemoryText& text) = 0;
};

class AnswerProgram {
  public:
    virtual ~AnswerProgram() = default;
    virtual const lm::Tokenizer& tokenizer() const = 0;
    // Names of the passage sources.
    virtual std::span<const std::string_view> sources() const = 0;
    // The store of a cell, made when it is missing.
    virtual Result<std::unique_ptr<MemoryStore>> open_store(const std::string& cell) = 0;
    // A reader without a memory.
    virtual Reader& reader() = 0;
};

}  // namespace mc::eval
