// SPDX-License-Identifier: Apache-2.0
// A parsed template: statements and expressions, each with its line. Value types; trees.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lm/jinja/value.h"

namespace mc::lm::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Expression {
    enum class Kind {
        kLiteral,      // literal
        kName,         // name
        kList,         // children
        kMap,          // children: key, value, key, value, …
        kMember,       // children[0].name
        kIndex,        // children[0][children[1]]
        kSlice,        // children[0][children[1]:children[2]:children[3]], null where left out
        kCall,         // children[0](children[1…], keywords)
        kFilter,       // children[0] | name(children[1…], keywords)
        kTest,         // children[0] is name(children[1…])
        kUnary,        // name children[0]: "not", "-", "+"
        kBinary,       // children[0] name children[1]
        kConditional,  // children[0] if children[1] else children[2], null where left out
    };

    Kind kind = Kind::kLiteral;
    int line = 1;
    int depth = 1;  // of the tree below
    std::string name;
    Value literal;
    std::vector<ExpressionPtr> children;
    std::vector<std::pair<std::string, ExpressionPtr>> keywords;
};

struct Statement {
    enum class Kind {
        kText,   // text
        kPrint,  // expression
        kIf,     // branches: condition (null: else) and body
        kFor,    // targets in expression if condition; body, otherwise
        kSet,    // targets[0] or targets[0].attribute = expression, or body where that is null
        kBreak,
        kContinue,
    };

    struct Branch {
        ExpressionPtr condition;
        std::vector<Statement> body;
    };

    Kind kind = Kind::kText;
    int line = 1;
    std::string text;
    std::string attribute;
    std::vector<std::string> targets;
    ExpressionPtr expression;
    ExpressionPtr condition;
    std::vector<Statement> body;
    std::vector<Statement> otherwise;
    std::vector<Branch> branches;
};

}  // namespace mc::lm::jinja
