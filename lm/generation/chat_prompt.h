// SPDX-License-Identifier: Apache-2.0
// The tokens that go around a text and a question so that the model answers.
//
// They are what the model's own chat template (lm/jinja/template.h) makes of a system turn and a
// user turn with text and question; a template that knows no system turn gets its words at the
// start of the user's. Models without a template get "Question: …\nAnswer:". Only what the template
// itself spells becomes a control token, never the words of the question. BOS comes first unless
// the template starts with a control token. Pure; value types. Errors: kInvalidInput for a template
// that cannot be used, with its line.
#pragma once

#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "lm/tokenizer/tokenizer.h"

namespace mc::lm {

struct ChatPrompt {
    std::vector<TokenId> before_text;  // starts the sequence
    std::vector<TokenId> after_text;   // the question, up to where the answer starts
};

Result<ChatPrompt> make_chat_prompt(const Tokenizer& tokenizer, std::string_view question);

}  // namespace mc::lm
