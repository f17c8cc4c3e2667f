// SPDX-License-Identifier: Apache-2.0
#include "lm/jinja/expression_parser.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/check.h"

namespace mc::lm::jinja {
namespace {

// Templates in use nest less than ten deep; parser and evaluation recurse this far.
constexpr int kExpressionDepthMax = 100;

constexpr std::array<std::string_view, 6> kComparisons = {"==", "!=", "<", "<=", ">", ">="};

}  // namespace

Expression ExpressionParser::node(Expression::Kind kind) const {
    Expression out;
    out.kind = kind;
    out.line = cursor_.now().line;
    return out;
}

Result<ExpressionPtr> ExpressionParser::make(Expression expression) const {
    int depth = 0;
    for (const ExpressionPtr& child : expression.children)
        if (child) depth = std::max(depth, child->depth);
    for (const auto& [name, value] : expression.keywords) depth = std::max(depth, value->depth);
    if (depth >= kExpressionDepthMax)
        return template_error(expression.line, "an expression nested too deep");
    expression.depth = depth + 1;
    return std::make_unique<Expression>(std::move(expression));
}

Result<ExpressionPtr> ExpressionParser::binary(std::string op, ExpressionPtr left,
                                               ExpressionPtr right) const {
    Expression out = node(Expression::Kind::kBinary);
    out.line = left->line;
    out.name = std::move(op);
    out.children.push_back(std::move(left));
    out.children.push_back(std::move(right));
    return make(std::move(out));
}

Result<ExpressionPtr> ExpressionParser::parse() {
    if (nesting_ >= kExpressionDepthMax)
        return template_error(cursor_.now().line, "an expression nested too deep");
    ++nesting_;
    MC_ASSIGN(ExpressionPtr value, parse_or());
    while (cursor_.sees_name("if")) {
        Expression out = node(Expression::Kind::kConditional);
        cursor_.take();
        MC_ASSIGN(ExpressionPtr condition, parse_or());
        ExpressionPtr otherwise;
        if (cursor_.skip_name("else")) {
            MC_ASSIGN(otherwise, parse());
        }
        out.children.push_back(std::move(value));
        out.children.push_back(std::move(condition));
        out.children.push_back(std::move(otherwise));
        MC_ASSIGN(value, make(std::move(out)));
    }
    --nesting_;
    return value;
}

Result<ExpressionPtr> ExpressionParser::parse_or() {
    MC_ASSIGN(ExpressionPtr left, parse_and());
    while (cursor_.skip_name("or")) {
        MC_ASSIGN(ExpressionPtr right, parse_and());
        MC_ASSIGN(left, binary("or", std::move(left), std::move(right)));
    }
    return left;
}

Result<ExpressionPtr> ExpressionParser::parse_and() {
    MC_ASSIGN(ExpressionPtr left, parse_not());
    while (cursor_.skip_name("and")) {
        MC_ASSIGN(ExpressionPtr right, parse_not());
        MC_ASSIGN(left, binary("and", std::move(left), std::move(right)));
    }
    return left;
}

Result<ExpressionPtr> ExpressionParser::parse_not() {
    std::vector<Expression> negations;
    while (cursor_.sees_name("not")) {
        negations.push_back(node(Expression::Kind::kUnary));
        negations.back().name = "not";
        cursor_.take();
    }
    MC_ASSIGN(ExpressionPtr value, parse_comparison());
    for (auto out = negations.rbegin(); out != negations.rend(); ++out) {
        out->children.push_back(std::move(value));
        MC_ASSIGN(value, make(std::move(*out)));
    }
    return value;
}

Result<ExpressionPtr> ExpressionParser::parse_comparison() {
    MC_ASSIGN(ExpressionPtr left, parse_sum());
    bool chained = false;
    for (;;) {
        std::string op;
        if (cursor_.now().kind == TokenKind::kOperator &&
            std::ranges::find(kComparisons, cursor_.now().text) != kComparisons.end()) {
            op = cursor_.take().text;
        } else if (cursor_.skip_name("in")) {
            op = "in";
        } else if (cursor_.sees_name("not") && cursor_.next().is(TokenKind::kName, "in")) {
            cursor_.take();
            cursor_.take();
            op = "not in";
        } else {
            return left;
        }
        if (chained) return template_error(left->line, "a chain of comparisons is not supported");
        chained = true;
        MC_ASSIGN(ExpressionPtr right, parse_sum());
        MC_ASSIGN(left, binary(std::move(op), std::move(left), std::move(right)));
    }
}

Result<ExpressionPtr> ExpressionParser::parse_chain(Rule operand,
                                                    std::initializer_list<std::string_view> ops) {
    MC_ASSIGN(ExpressionPtr left, (this->*operand)());
    while (cursor_.now().kind == TokenKind::kOperator &&
           std::ranges::find(ops, cursor_.now().text) != ops.end()) {
        std::string op = cursor_.take().text;
        MC_ASSIGN(ExpressionPtr right, (this->*operand)());
        MC_ASSIGN(left, binary(std::move(op), std::move(left), std::move(right)));
    }
    return left;
}

Result<ExpressionPtr> ExpressionParser::parse_sum() {
    return parse_chain(&ExpressionParser::parse_concatenation, {"+", "-"});
}

Result<ExpressionPtr> ExpressionParser::parse_concatenation() {
    return parse_chain(&ExpressionParser::parse_product, {"~"});
}

Result<ExpressionPtr> ExpressionParser::parse_product() {
    return parse_chain(&ExpressionParser::parse_filtered_unary, {"*", "/", "//", "%", "**"});
}

Result<ExpressionPtr> ExpressionParser::parse_unary(bool with_filters) {
    if (nesting_ >= kExpressionDepthMax)
        return template_error(cursor_.now().line, "an expression nested too deep");
    ExpressionPtr value;
    if (cursor_.sees("-") || cursor_.sees("+")) {
        Expression out = node(Expression::Kind::kUnary);
        out.name = cursor_.take().text;
        ++nesting_;
        MC_ASSIGN(ExpressionPtr operand, parse_unary(false));
        --nesting_;
        out.children.push_back(std::move(operand));
        MC_ASSIGN(value, make(std::move(out)));
    } else {
        MC_ASSIGN(value, parse_primary());
    }
    MC_ASSIGN(value, parse_postfix(std::move(value)));
    if (!with_filters) return value;
    return parse_filters(std::move(value));
}

Result<ExpressionPtr> ExpressionParser::parse_primary() {
    const Token& token = cursor_.now();
    if (cursor_.sees("[")) return parse_list();
    if (cursor_.sees("{")) return parse_map();
    if (cursor_.skip("(")) {
        MC_ASSIGN(ExpressionPtr inner, parse());
        if (cursor_.sees(",")) return template_error(token.line, "a tuple is not supported");
        MC_TRY(cursor_.expect(")"));
        return inner;
    }
    return parse_literal();
}

Result<ExpressionPtr> ExpressionParser::parse_literal() {
    Expression out = node(Expression::Kind::kLiteral);
    const Token& token = cursor_.now();
    const char* begin = token.text.data();
    const char* end = begin + token.text.size();
    if (token.kind == TokenKind::kText) {
        std::string text;
        while (cursor_.now().kind == TokenKind::kText) text += cursor_.take().text;
        out.literal = Value::literal(text);
        return make(std::move(out));
    }
    if (token.kind == TokenKind::kInteger) {
        std::int64_t number = 0;
        if (std::from_chars(begin, end, number).ec != std::errc())
            return template_error(token.line, "the number " + token.text + " is too large");
        out.literal = Value::of(number);
    } else if (token.kind == TokenKind::kFloat) {
        double number = 0;
        if (std::from_chars(begin, end, number).ec != std::errc())
            return template_error(token.line, "the number " + token.text + " is too large");
        out.literal = Value::of(number);
    } else if (token.kind != TokenKind::kName) {
        return cursor_.unexpected("an expression");
    } else if (token.text == "true" || token.text == "True") {
        out.literal = Value::of(true);
    } else if (token.text == "false" || token.text == "False") {
        out.literal = Value::of(false);
    } else if (token.text == "none" || token.text == "None") {
        out.literal = Value::none();
    } else {
        out.kind = Expression::Kind::kName;
        out.name = token.text;
    }
    cursor_.take();
    return make(std::move(out));
}

Result<ExpressionPtr> ExpressionParser::parse_list() {
    Expression out = node(Expression::Kind::kList);
    MC_TRY(cursor_.expect("["));
    while (!cursor_.sees("]")) {
        if (!out.children.empty()) MC_TRY(cursor_.expect(","));
        if (cursor_.sees("]")) break;
        MC_ASSIGN(ExpressionPtr item, parse());
        out.children.push_back(std::move(item));
    }
    MC_TRY(cursor_.expect("]"));
    return make(std::move(out));
}

Result<ExpressionPtr> ExpressionParser::parse_map() {
    Expression out = node(Expression::Kind::kMap);
    MC_TRY(cursor_.expect("{"));
    while (!cursor_.sees("}")) {
        if (!out.children.empty()) MC_TRY(cursor_.expect(","));
        if (cursor_.sees("}")) break;
        MC_ASSIGN(ExpressionPtr key, parse());
        MC_TRY(cursor_.expect(":"));
        MC_ASSIGN(ExpressionPtr value, parse());
        out.children.push_back(std::move(key));
        out.children.push_back(std::move(value));
    }
    MC_TRY(cursor_.expect("}"));
    return make(std::move(out));
}

Result<ExpressionPtr> ExpressionParser::parse_postfix(ExpressionPtr base) {
    for (;;) {
        if (cursor_.sees("[")) {
            MC_ASSIGN(base, parse_subscript(std::move(base)));
        } else if (cursor_.sees(".")) {
            Expression out = node(Expression::Kind::kMember);
            cursor_.take();
            if (cursor_.now().kind == TokenKind::kInteger) {
                out.kind = Expression::Kind::kIndex;
                MC_ASSIGN(ExpressionPtr index, parse_literal());
                out.children.push_back(std::move(base));
                out.children.push_back(std::move(index));
            } else {
                MC_ASSIGN(out.name, cursor_.expect_name());
                out.children.push_back(std::move(base));
            }
            MC_ASSIGN(base, make(std::move(out)));
        } else if (cursor_.sees("(")) {
            Expression out = node(Expression::Kind::kCall);
            out.children.push_back(std::move(base));
            MC_TRY(parse_arguments(out));
            MC_ASSIGN(base, make(std::move(out)));
        } else {
            return base;
        }
    }
}

Result<ExpressionPtr> ExpressionParser::parse_subscript(ExpressionPtr base) {
    Expression out = node(Expression::Kind::kIndex);
    MC_TRY(cursor_.expect("["));
    out.children.push_back(std::move(base));
    bool is_slice = false;
    for (int part = 0; part < 3 && !cursor_.sees("]"); ++part) {
        ExpressionPtr value;
        if (!cursor_.sees(":")) {
            MC_ASSIGN(value, parse());
        }
        out.children.push_back(std::move(value));
        if (!cursor_.skip(":")) break;
        is_slice = true;
    }
    MC_TRY(cursor_.expect("]"));
    if (out.children.size() < 2) return template_error(out.line, "an empty subscript");
    if (is_slice) {
        out.kind = Expression::Kind::kSlice;
        out.children.resize(4);
    }
    return make(std::move(out));
}

Result<void> ExpressionParser::parse_arguments(Expression& call) {
    MC_TRY(cursor_.expect("("));
    bool first = true;
    while (!cursor_.sees(")")) {
        if (!first) MC_TRY(cursor_.expect(","));
        first = false;
        if (cursor_.sees(")")) break;
        if (cursor_.sees("*") || cursor_.sees("**"))
            return template_error(call.line, "an argument list given with * is not supported");
        std::string keyword;
        if (cursor_.now().kind == TokenKind::kName &&
            cursor_.next().is(TokenKind::kOperator, "=")) {
            keyword = cursor_.take().text;
            cursor_.take();
        }
        MC_ASSIGN(ExpressionPtr value, parse());
        if (keyword.empty())
            call.children.push_back(std::move(value));
        else
            call.keywords.emplace_back(std::move(keyword), std::move(value));
    }
    return cursor_.expect(")");
}

Result<ExpressionPtr> ExpressionParser::parse_filters(ExpressionPtr base) {
    for (;;) {
        if (cursor_.sees("|")) {
            Expression out = node(Expression::Kind::kFilter);
            cursor_.take();
            MC_ASSIGN(out.name, cursor_.expect_name());
            out.children.push_back(std::move(base));
            if (cursor_.sees("(")) MC_TRY(parse_arguments(out));
            MC_ASSIGN(base, make(std::move(out)));
        } else if (cursor_.sees_name("is")) {
            MC_ASSIGN(base, parse_test(std::move(base)));
        } else if (cursor_.sees("(")) {
            return template_error(base->line, "a call of a filter's result is not supported");
        } else {
            return base;
        }
    }
}

Result<ExpressionPtr> ExpressionParser::parse_test(ExpressionPtr base) {
    Expression out = node(Expression::Kind::kTest);
    MC_CHECK(cursor_.skip_name("is"), "called at 'is'");
    const bool negated = cursor_.skip_name("not");
    MC_ASSIGN(out.name, cursor_.expect_name());
    out.children.push_back(std::move(base));
    const Token& token = cursor_.now();
    const bool ends = token.is(TokenKind::kName, "else") || token.is(TokenKind::kName, "or") ||
                      token.is(TokenKind::kName, "and") || token.is(TokenKind::kName, "is") ||
                      token.is(TokenKind::kName, "if") || token.is(TokenKind::kName, "not") ||
                      token.is(TokenKind::kName, "in");
    const bool takes_one = token.kind == TokenKind::kText || token.kind == TokenKind::kInteger ||
                           token.kind == TokenKind::kFloat || cursor_.sees("[") ||
                           cursor_.sees("{") || (token.kind == TokenKind::kName && !ends);
    if (cursor_.sees("(")) {
        MC_TRY(parse_arguments(out));
    } else if (takes_one) {
        MC_ASSIGN(ExpressionPtr argument, parse_primary());
        MC_ASSIGN(argument, parse_postfix(std::move(argument)));
        out.children.push_back(std::move(argument));
    }
    const int line = out.line;
    MC_ASSIGN(ExpressionPtr test, make(std::move(out)));
    if (!negated) return test;
    Expression negation;
    negation.kind = Expression::Kind::kUnary;
    negation.line = line;
    negation.name = "not";
    negation.children.push_back(std::move(test));
    return make(std::move(negation));
}

}  // namespace mc::lm::jinja
