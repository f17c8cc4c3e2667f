// SPDX-License-Identifier: Apache-2.0
// Cuts a template into tokens, as Jinja does with trim_blocks and lstrip_blocks on (the setting for
// which chat templates are written): the newline after a block or comment and the blanks before it
// on its line are dropped, "-" at a tag drops all white space on that side, "+" keeps it.
// Pure. Errors: kInvalidInput naming the line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace mc::lm::jinja {

enum class TokenKind {
    kData,
    kPrintBegin,
    kPrintEnd,
    kBlockBegin,
    kBlockEnd,
    kName,
    kText,
    kInteger,
    kFloat,
    kOperator,
    kEnd
};

struct Token {
    TokenKind kind = TokenKind::kEnd;
    std::string text;  // of kText: with escapes resolved
    int line = 1;

    bool is(TokenKind k, std::string_view t) const { return kind == k && text == t; }
};

// Ends with a token of kind kEnd.
Result<std::vector<Token>> tokenize(std::string_view source);

// "line 12: what"
tl::unexpected<Error> template_error(int line, const std::string& what);

}  // namespace mc::lm::jinja
