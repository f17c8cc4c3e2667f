// SPDX-License-Identifier: Apache-2.0
// Lets a reader read one item's prompts and scores what it says.
//
// Ownership: borrows the tokenizer. Threads: one. Errors: the reader's; those of the chat template.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "core/result.h"
#include "eval/answers/answer_ports.h"
#include "eval/answers/answer_record.h"
#include "lm/generation/chat_prompt.h"
#include "lm/tokenizer/tokenizer.h"

namespace mc::eval {

// The prompt of a row that asks no memory; nullopt where the item has nothing to show.
// Requires: the row is memoryless.
Result<std::optional<RowPrompt>> memoryless_prompt(const AnswerRow& row, const AnswerItem& item,
                                                   const lm::ChatFormat& format);

// The readings of one item. Rows often show the same text (two searches agree, a budget holds no
// more), which is then read once; a prompt with gists is read every time.
class ItemReading {
  public:
    explicit ItemReading(const lm::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

    // Fills in what the reading says. facts: where the prompt's memory has them.
    Result<void> read(Reader& reader, const AnswerItem& item, std::span<const PlacedFact> facts,
                      RowPrompt prompt, AnswerRecord& record);

  private:
    Result<Reading> read_once(Reader& reader, const ReadRequest& request);

    const lm::Tokenizer& tokenizer_;
    std::map<std::vector<TokenId>, Reading> readings_;  // by prompt
};

}  // namespace mc::eval
