// SPDX-License-Identifier: Apache-2.0
#include "lm/jinja/evaluator.h"

#include <utility>

#include "lm/jinja/lexer.h"

namespace mc::lm::jinja {
namespace {

// Adds the line to an error that has none yet.
template <class T>
Result<T> at_line(int line, Result<T> result) {
    if (result || result.error().message().starts_with("line ")) return result;
    return template_error(line, result.error().message());
}

}  // namespace

Evaluator::Evaluator(const Map& variables) : scopes_(1), budget_(kStepsMax, kTextBytesMax) {
    for (const auto& [name, value] : variables) scopes_.front()[name.bytes] = value;
}

Result<Rendered> Evaluator::run(const std::vector<Statement>& statements) {
    auto done = execute(statements);
    if (raised_) return Rendered{{}, std::move(raised_)};
    if (!done) return fail(std::move(done.error()));
    return Rendered{std::move(output_), std::nullopt};
}

Result<Evaluator::Flow> Evaluator::execute(const std::vector<Statement>& statements) {
    for (const Statement& statement : statements) {
        MC_TRY(at_line(statement.line, budget_.spend_steps(1)));
        MC_ASSIGN(const Flow flow, execute(statement));
        if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
}

Result<Evaluator::Flow> Evaluator::execute(const Statement& statement) {
    switch (statement.kind) {
        case Statement::Kind::kText:
            output_.append(statement.text, Origin::kTemplate);
            break;
        case Statement::Kind::kPrint: {
            MC_ASSIGN(const Value value, evaluate(*statement.expression));
            MC_ASSIGN(const Text text, at_line(statement.line, printed(value)));
            output_.append(text);
            break;
        }
        case Statement::Kind::kIf:
            return execute_if(statement);
        case Statement::Kind::kFor:
            return execute_for(statement);
        case Statement::Kind::kSet:
            MC_TRY(execute_set(statement));
            break;
        case Statement::Kind::kBreak:
            return Flow::kBreak;
        case Statement::Kind::kContinue:
            return Flow::kContinue;
    }
    if (output_.bytes.size() > kOutputBytesMax)
        return template_error(statement.line, "the template makes too much text");
    return Flow::kNext;
}

Result<Evaluator::Flow> Evaluator::execute_if(const Statement& statement) {
    for (const Statement::Branch& branch : statement.branches) {
        if (branch.condition) {
            MC_ASSIGN(const Value condition, evaluate(*branch.condition));
            if (!condition.truthy()) continue;
        }
        return execute(branch.body);
    }
    return Flow::kNext;
}

Result<void> Evaluator::bind_targets(const Statement& statement, const Value& item) {
    if (statement.targets.size() == 1) {
        scopes_.back()[statement.targets.front()] = item;
        return {};
    }
    const List* parts = item.list();
    if (parts == nullptr || parts->size() != statement.targets.size())
        return template_error(statement.line, "an item is not as many values as there are names");
    for (std::size_t i = 0; i < parts->size(); ++i)
        scopes_.back()[statement.targets[i]] = (*parts)[i];
    return {};
}

// The items, those that the loop's condition leaves.
Result<List> Evaluator::loop_items(const Statement& statement) {
    MC_ASSIGN(const Value value, evaluate(*statement.expression));
    MC_ASSIGN(List items, at_line(statement.line, items_of(value, budget_)));
    if (!statement.condition) return items;
    List kept;
    scopes_.emplace_back();
    for (const Value& item : items) {
        MC_TRY(bind_targets(statement, item));
        MC_ASSIGN(const Value wanted, evaluate(*statement.condition));
        if (wanted.truthy()) kept.push_back(item);
    }
    scopes_.pop_back();
    return kept;
}

Result<Value> Evaluator::loop_variable(const List& items, std::size_t index) {
    const auto number = [](std::size_t i) { return Value::of(static_cast<std::int64_t>(i)); };
    const auto key = [](std::string_view name) { return Text::of(name, Origin::kTemplate); };
    Map loop = {{key("index"), number(index + 1)},
                {key("index0"), number(index)},
                {key("revindex"), number(items.size() - index)},
                {key("revindex0"), number(items.size() - index - 1)},
                {key("first"), Value::of(index == 0)},
                {key("last"), Value::of(index + 1 == items.size())},
                {key("length"), number(items.size())}};
    if (index > 0) loop.emplace_back(key("previtem"), items[index - 1]);
    if (index + 1 < items.size()) loop.emplace_back(key("nextitem"), items[index + 1]);
    return Value::of(std::move(loop));
}

Result<Evaluator::Flow> Evaluator::execute_for(const Statement& statement) {
    MC_ASSIGN(const List items, loop_items(statement));
    if (items.empty()) return execute(statement.otherwise);
    for (std::size_t i = 0; i < items.size(); ++i) {
        MC_TRY(at_line(statement.line, budget_.spend_steps(1)));
        scopes_.emplace_back();
        MC_ASSIGN(Value loop, at_line(statement.line, loop_variable(items, i)));
        scopes_.back()["loop"] = std::move(loop);
        MC_TRY(bind_targets(statement, items[i]));
        MC_ASSIGN(const Flow flow, execute(statement.body));
        scopes_.pop_back();
        if (flow == Flow::kBreak) break;
    }
    return Flow::kNext;
}

Result<void> Evaluator::execute_set(const Statement& statement) {
    Value value;
    if (statement.expression) {
        MC_ASSIGN(value, evaluate(*statement.expression));
    } else {
        Text before = std::exchange(output_, {});
        MC_TRY(execute(statement.body));
        MC_TRY(at_line(statement.line, budget_.spend_text(output_.bytes.size())));
        value = Value::of(std::exchange(output_, std::move(before)));
    }
    const std::string& name = statement.targets.front();
    if (statement.attribute.empty()) {
        scopes_.back()[name] = std::move(value);
        return {};
    }
    const Value target = find(name);
    Namespace* space = target.name_space();
    if (space == nullptr) return template_error(statement.line, "'" + name + "' is no namespace");
    if (value.name_space() != nullptr)
        return template_error(statement.line, "a namespace inside another value");
    for (auto& [key, entry] : space->attributes) {
        if (key != statement.attribute) continue;
        entry = std::move(value);
        return {};
    }
    space->attributes.emplace_back(statement.attribute, std::move(value));
    return {};
}

Value Evaluator::find(const std::string& name) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
        const auto found = scope->find(name);
        if (found != scope->end()) return found->second;
    }
    return Value::undefined(name);
}

Result<Value> Evaluator::evaluate(const Expression& expression) {
    MC_TRY(at_line(expression.line, budget_.spend_steps(1)));
    return at_line(expression.line, evaluate_node(expression));
}

Result<Value> Evaluator::evaluate_node(const Expression& expression) {
    using Kind = Expression::Kind;
    switch (expression.kind) {
        case Kind::kLiteral:
            return expression.literal;
        case Kind::kName:
            return find(expression.name);
        case Kind::kList: {
            MC_ASSIGN(Arguments items, evaluate_arguments(expression));
            return Value::of(std::move(items.positional));
        }
        case Kind::kMap:
            return evaluate_map(expression);
        case Kind::kMember: {
            MC_ASSIGN(const Value base, evaluate(*expression.children[0]));
            return member_at(base, Value::literal(expression.name));
        }
        case Kind::kIndex: {
            MC_ASSIGN(const Value base, evaluate(*expression.children[0]));
            MC_ASSIGN(const Value index, evaluate(*expression.children[1]));
            return member_at(base, index);
        }
        case Kind::kSlice:
            return evaluate_slice(expression);
        case Kind::kCall:
            return evaluate_call(expression);
        case Kind::kFilter: {
            MC_ASSIGN(const Value base, evaluate(*expression.children[0]));
            MC_ASSIGN(const Arguments arguments, evaluate_arguments(expression));
            return call_filter(expression.name, base, arguments, budget_);
        }
        case Kind::kTest: {
            MC_ASSIGN(const Value base, evaluate(*expression.children[0]));
            MC_ASSIGN(const Arguments arguments, evaluate_arguments(expression));
            MC_ASSIGN(const bool passes, call_test(expression.name, base, arguments, budget_));
            return Value::of(passes);
        }
        case Kind::kUnary:
            return evaluate_unary(expression);
        case Kind::kBinary:
            return evaluate_binary(expression);
        case Kind::kConditional: {
            MC_ASSIGN(const Value condition, evaluate(*expression.children[1]));
            if (condition.truthy()) return evaluate(*expression.children[0]);
            if (!expression.children[2]) return Value::undefined("the value of an if without else");
            return evaluate(*expression.children[2]);
        }
    }
    return Value();
}

Result<Value> Evaluator::evaluate_binary(const Expression& expression) {
    MC_ASSIGN(Value left, evaluate(*expression.children[0]));
    // The value that decides, as in Python.
    if (expression.name == "and" && !left.truthy()) return left;
    if (expression.name == "or" && left.truthy()) return left;
    MC_ASSIGN(Value right, evaluate(*expression.children[1]));
    if (expression.name == "and" || expression.name == "or") return right;
    return apply_operator(expression.name, left, right, budget_);
}

Result<Value> Evaluator::evaluate_unary(const Expression& expression) {
    MC_ASSIGN(const Value value, evaluate(*expression.children[0]));
    if (expression.name == "not") return Value::of(!value.truthy());
    return apply_operator(expression.name, Value::of(std::int64_t{0}), value, budget_);
}

Result<Value> Evaluator::evaluate_map(const Expression& expression) {
    Map out;
    for (std::size_t i = 0; i + 1 < expression.children.size(); i += 2) {
        MC_ASSIGN(const Value key, evaluate(*expression.children[i]));
        MC_ASSIGN(Value value, evaluate(*expression.children[i + 1]));
        if (key.text() == nullptr)
            return template_error(expression.line, "a mapping's key is not text");
        out.emplace_back(*key.text(), std::move(value));
    }
    return Value::of(std::move(out));
}

Result<Value> Evaluator::evaluate_slice(const Expression& expression) {
    MC_ASSIGN(const Value base, evaluate(*expression.children[0]));
    Value bounds[3];
    for (std::size_t i = 0; i < 3; ++i) {
        if (!expression.children[i + 1]) continue;
        MC_ASSIGN(bounds[i], evaluate(*expression.children[i + 1]));
    }
    return slice_of(base, bounds[0], bounds[1], bounds[2], budget_);
}

// Of lists: all children; of calls, filters and tests: those after the first.
Result<Arguments> Evaluator::evaluate_arguments(const Expression& expression) {
    Arguments out;
    for (std::size_t i = expression.kind == Expression::Kind::kList ? 0 : 1;
         i < expression.children.size(); ++i) {
        MC_ASSIGN(Value value, evaluate(*expression.children[i]));
        out.positional.push_back(std::move(value));
    }
    for (const auto& [name, child] : expression.keywords) {
        MC_ASSIGN(Value value, evaluate(*child));
        out.keywords.emplace_back(name, std::move(value));
    }
    return out;
}

Result<Value> Evaluator::evaluate_call(const Expression& expression) {
    const Expression& callee = *expression.children[0];
    if (callee.kind == Expression::Kind::kMember) {
        MC_ASSIGN(const Value base, evaluate(*callee.children[0]));
        MC_ASSIGN(const Arguments arguments, evaluate_arguments(expression));
        return call_method(base, callee.name, arguments, budget_);
    }
    if (callee.kind != Expression::Kind::kName)
        return template_error(expression.line, "a call of a value is not supported");
    MC_ASSIGN(const Arguments arguments, evaluate_arguments(expression));
    return call_function(expression, arguments);
}

Result<Value> Evaluator::call_function(const Expression& expression, const Arguments& arguments) {
    const std::string& name = expression.children[0]->name;
    if (name == "raise_exception") {
        MC_ASSIGN(const Text message, printed(arguments.get(0, "message")));
        raised_ = message.bytes;
        return template_error(expression.line, message.bytes);
    }
    if (name == "namespace") {
        auto space = std::make_shared<Namespace>();
        for (const auto& [key, value] : arguments.keywords) {
            if (value.name_space() != nullptr)
                return template_error(expression.line, "a namespace inside another value");
            space->attributes.emplace_back(key, value);
        }
        return Value(Value::Any(std::move(space)));
    }
    return template_error(expression.line, "the function '" + name + "' is not supported");
}

}  // namespace mc::lm::jinja
