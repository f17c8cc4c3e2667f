// SPDX-License-Identifier: Apache-2.0
#include "lm/jinja/parser.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lm/jinja/expression_parser.h"

namespace mc::lm::jinja {
namespace {

constexpr int kBlockDepthMax = 50;

// What Jinja has and chat templates seldom use.
constexpr std::array<std::string_view, 12> kUnsupported = {
    "macro",  "call", "filter", "block",      "extends", "include",
    "import", "from", "with",   "autoescape", "trans",   "raw"};

class Parser {
  public:
    explicit Parser(std::span<const Token> tokens) : cursor_(tokens), expressions_(cursor_) {}

    Result<std::vector<Statement>> run() {
        MC_ASSIGN(auto statements, body({}));
        return statements;
    }

  private:
    using Body = std::vector<Statement>;

    // Up to a block tag with one of these names, whose name is then next; or to the end.
    Result<Body> body(std::initializer_list<std::string_view> ends);
    Result<Statement> block();
    Result<Statement> if_block(Statement out);
    Result<Statement> for_block(Statement out);
    Result<Statement> set_block(Statement out);

    Result<void> end_of_block() {
        if (cursor_.now().kind != TokenKind::kBlockEnd) return cursor_.unexpected("'%}'");
        cursor_.take();
        return {};
    }

    TokenCursor cursor_;
    ExpressionParser expressions_;
    int depth_ = 0;
};

Result<Parser::Body> Parser::body(std::initializer_list<std::string_view> ends) {
    if (++depth_ > kBlockDepthMax)
        return template_error(cursor_.now().line, "blocks nested too deep");
    Body out;
    for (;;) {
        const Token& token = cursor_.take();
        Statement statement;
        statement.line = token.line;
        if (token.kind == TokenKind::kEnd) {
            if (ends.size() > 0)
                return template_error(token.line, "the template ends where '" +
                                                      std::string(*ends.begin()) + "' is expected");
            break;
        }
        if (token.kind == TokenKind::kData) {
            statement.text = token.text;
            out.push_back(std::move(statement));
            continue;
        }
        if (token.kind == TokenKind::kPrintBegin) {
            statement.kind = Statement::Kind::kPrint;
            MC_ASSIGN(statement.expression, expressions_.parse());
            if (cursor_.now().kind != TokenKind::kPrintEnd) return cursor_.unexpected("'}}'");
            cursor_.take();
            out.push_back(std::move(statement));
            continue;
        }
        const bool ended = cursor_.now().kind == TokenKind::kName &&
                           std::ranges::find(ends, cursor_.now().text) != ends.end();
        if (ended) break;
        // Marks what an assistant wrote, for training: nothing to do with the text.
        if (cursor_.skip_name("generation") || cursor_.skip_name("endgeneration")) {
            MC_TRY(end_of_block());
            continue;
        }
        MC_ASSIGN(statement, block());
        out.push_back(std::move(statement));
    }
    --depth_;
    return out;
}

Result<Statement> Parser::block() {
    Statement out;
    out.line = cursor_.now().line;
    MC_ASSIGN(const std::string name, cursor_.expect_name());
    if (name == "if") return if_block(std::move(out));
    if (name == "for") return for_block(std::move(out));
    if (name == "set") return set_block(std::move(out));
    if (name == "break" || name == "continue") {
        out.kind = name == "break" ? Statement::Kind::kBreak : Statement::Kind::kContinue;
        MC_TRY(end_of_block());
        return out;
    }
    if (std::ranges::find(kUnsupported, name) != kUnsupported.end())
        return template_error(out.line, "'" + name + "' is not supported");
    return template_error(out.line, "unexpected '" + name + "'");
}

Result<Statement> Parser::if_block(Statement out) {
    out.kind = Statement::Kind::kIf;
    for (bool more = true; more;) {
        Statement::Branch branch;
        MC_ASSIGN(branch.condition, expressions_.parse());
        MC_TRY(end_of_block());
        MC_ASSIGN(branch.body, body({"endif", "elif", "else"}));
        out.branches.push_back(std::move(branch));
        more = cursor_.skip_name("elif");
    }
    if (cursor_.skip_name("else")) {
        Statement::Branch branch;
        MC_TRY(end_of_block());
        MC_ASSIGN(branch.body, body({"endif"}));
        out.branches.push_back(std::move(branch));
    }
    cursor_.take();  // endif
    MC_TRY(end_of_block());
    return out;
}

Result<Statement> Parser::for_block(Statement out) {
    out.kind = Statement::Kind::kFor;
    const bool bracketed = cursor_.skip("(");
    do {
        MC_ASSIGN(std::string target, cursor_.expect_name());
        out.targets.push_back(std::move(target));
    } while (cursor_.skip(","));
    if (bracketed) MC_TRY(cursor_.expect(")"));
    if (!cursor_.skip_name("in")) return cursor_.unexpected("'in'");
    MC_ASSIGN(out.expression, expressions_.parse_without_condition());
    if (cursor_.skip_name("if")) {
        MC_ASSIGN(out.condition, expressions_.parse());
    }
    if (cursor_.sees_name("recursive"))
        return template_error(out.line, "'for … recursive' is not supported");
    MC_TRY(end_of_block());
    MC_ASSIGN(out.body, body({"endfor", "else"}));
    if (cursor_.skip_name("else")) {
        MC_TRY(end_of_block());
        MC_ASSIGN(out.otherwise, body({"endfor"}));
    }
    cursor_.take();  // endfor
    MC_TRY(end_of_block());
    return out;
}

Result<Statement> Parser::set_block(Statement out) {
    out.kind = Statement::Kind::kSet;
    MC_ASSIGN(std::string target, cursor_.expect_name());
    out.targets.push_back(std::move(target));
    if (cursor_.skip(".")) {
        MC_ASSIGN(out.attribute, cursor_.expect_name());
    }
    if (cursor_.sees(","))
        return template_error(out.line, "'set' of several names is not supported");
    if (cursor_.skip("=")) {
        MC_ASSIGN(out.expression, expressions_.parse());
        MC_TRY(end_of_block());
        return out;
    }
    if (cursor_.sees("|")) return template_error(out.line, "'set' with a filter is not supported");
    MC_TRY(end_of_block());
    MC_ASSIGN(out.body, body({"endset"}));
    cursor_.take();  // endset
    MC_TRY(end_of_block());
    return out;
}

}  // namespace

Result<std::vector<Statement>> parse_template(std::string_view source) {
    MC_ASSIGN(const std::vector<Token> tokens, tokenize(source));
    return Parser(tokens).run();
}

}  // namespace mc::lm::jinja
