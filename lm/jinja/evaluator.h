// SPDX-License-Identifier: Apache-2.0
// Runs a parsed template once. Borrows statements and variables. Threads: one.
// Errors: as Template::render().
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lm/jinja/ast.h"
#include "lm/jinja/builtins.h"
#include "lm/jinja/template.h"

namespace mc::lm::jinja {

class Evaluator {
  public:
    explicit Evaluator(const Map& variables);
    Result<Rendered> run(const std::vector<Statement>& statements);

  private:
    enum class Flow { kNext, kBreak, kContinue };
    using Scope = std::map<std::string, Value>;

    Result<Flow> execute(const std::vector<Statement>& statements);
    Result<Flow> execute(const Statement& statement);
    Result<Flow> execute_if(const Statement& statement);
    Result<Flow> execute_for(const Statement& statement);
    Result<void> execute_set(const Statement& statement);
    Result<List> loop_items(const Statement& statement);
    Result<void> bind_targets(const Statement& statement, const Value& item);
    static Result<Value> loop_variable(const List& items, std::size_t index);

    Result<Value> evaluate(const Expression& expression);
    Result<Value> evaluate_node(const Expression& expression);
    Result<Value> evaluate_binary(const Expression& expression);
    Result<Value> evaluate_unary(const Expression& expression);
    Result<Value> evaluate_map(const Expression& expression);
    Result<Value> evaluate_slice(const Expression& expression);
    Result<Value> evaluate_call(const Expression& expression);
    Result<Value> call_function(const Expression& expression, const Arguments& arguments);
    Result<Arguments> evaluate_arguments(const Expression& expression);
    Value find(const std::string& name) const;

    std::vector<Scope> scopes_;
    Budget budget_;
    Text output_;
    std::optional<std::string> raised_;
};

}  // namespace mc::lm::jinja
