// SPDX-License-Identifier: Apache-2.0
// A place in a list of tokens. Value type; borrows the tokens, which end with one of kind kEnd.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lm/jinja/lexer.h"

namespace mc::lm::jinja {

class TokenCursor {
  public:
    explicit TokenCursor(std::span<const Token> tokens) : tokens_(tokens) {}

    const Token& now() const { return tokens_[at_]; }

    const Token& next() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }

    const Token& take() {
        const Token& token = now();
        if (at_ + 1 < tokens_.size()) ++at_;
        return token;
    }

    bool sees(std::string_view op) const { return now().is(TokenKind::kOperator, op); }

    bool sees_name(std::string_view name) const { return now().is(TokenKind::kName, name); }

    bool skip(std::string_view op) {
        if (!sees(op)) return false;
        take();
        return true;
    }

    bool skip_name(std::string_view name) {
        if (!sees_name(name)) return false;
        take();
        return true;
    }

    Result<void> expect(std::string_view op) {
        if (!skip(op)) return unexpected("'" + std::string(op) + "'");
        return {};
    }

    Result<std::string> expect_name() {
        if (now().kind != TokenKind::kName) return unexpected("a name");
        return take().text;
    }

    tl::unexpected<Error> unexpected(const std::string& wanted) const {
        const Token& token = now();
        const std::string found = token.kind == TokenKind::kEnd        ? "the template's end"
                                  : token.kind == TokenKind::kBlockEnd ? "'%}'"
                                  : token.kind == TokenKind::kPrintEnd ? "'}}'"
                                  : token.kind == TokenKind::kData     ? "text"
                                                                       : "'" + token.text + "'";
        return template_error(token.line, "expected " + wanted + ", found " + found);
    }

  private:
    std::span<const Token> tokens_;
    std::size_t at_ = 0;
};

}  // namespace mc::lm::jinja
