// SPDX-License-Identifier: Apache-2.0
// The tokens that go around a text and a question so that the model answers.
//
// ChatML models (their chat template contains "<|im_start|>") get a system turn, a user turn with
// text and question, and the start of the assistant's turn; other models "Question: …\nAnswer:".
// The words of the question never become control tokens. Pure; value types.
#pragma once

#include <string_view>
#include <vector>

#include "core/ids.h"
#include "lm/tokenizer.h"

namespace mc::lm {

struct ChatPrompt {
    std::vector<TokenId> before_text;  // starts the sequence, BOS included where the model has one
    std::vector<TokenId> after_text;   // the question, up to where the answer starts
};

ChatPrompt make_chat_prompt(const Tokenizer& tokenizer, std::string_view question);

}  // namespace mc::lm
