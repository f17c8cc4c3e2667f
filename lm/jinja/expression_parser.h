// SPDX-License-Identifier: Apache-2.0
// Tokens → expressions, with Jinja's precedences. Threads: one. Errors: as parse_template().
#pragma once

#include "lm/jinja/ast.h"
#include "lm/jinja/token_cursor.h"

namespace mc::lm::jinja {

class ExpressionParser {
  public:
    // Moves the cursor, which it borrows, past what it reads.
    explicit ExpressionParser(TokenCursor& cursor) : cursor_(cursor) {}

    Result<ExpressionPtr> parse();

    // Without a trailing "if … else …": what stands after `in` in a for loop.
    Result<ExpressionPtr> parse_without_condition() { return parse_or(); }

  private:
    using Rule = Result<ExpressionPtr> (ExpressionParser::*)();

    Result<ExpressionPtr> parse_or();
    Result<ExpressionPtr> parse_and();
    Result<ExpressionPtr> parse_not();
    Result<ExpressionPtr> parse_comparison();
    Result<ExpressionPtr> parse_sum();
    Result<ExpressionPtr> parse_concatenation();
    Result<ExpressionPtr> parse_product();
    Result<ExpressionPtr> parse_unary(bool with_filters = true);

    Result<ExpressionPtr> parse_filtered_unary() { return parse_unary(); }

    Result<ExpressionPtr> parse_primary();
    Result<ExpressionPtr> parse_literal();
    Result<ExpressionPtr> parse_list();
    Result<ExpressionPtr> parse_map();
    Result<ExpressionPtr> parse_postfix(ExpressionPtr base);
    Result<ExpressionPtr> parse_subscript(ExpressionPtr base);
    Result<ExpressionPtr> parse_filters(ExpressionPtr base);
    Result<ExpressionPtr> parse_test(ExpressionPtr base);
    Result<void> parse_arguments(Expression& call);
    // operand (op operand)*, from the left.
    Result<ExpressionPtr> parse_chain(Rule operand, std::initializer_list<std::string_view> ops);

    Result<ExpressionPtr> make(Expression expression) const;
    Result<ExpressionPtr> binary(std::string op, ExpressionPtr left, ExpressionPtr right) const;
    Expression node(Expression::Kind kind) const;

    TokenCursor& cursor_;
    int nesting_ = 0;
};

}  // namespace mc::lm::jinja
