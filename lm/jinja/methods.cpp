// SPDX-License-Identifier: Apache-2.0
// Methods of text and of mappings.
#include <algorithm>

#include "lm/jinja/builtins.h"

namespace mc::lm::jinja {
namespace {

// Text, or one of a list of texts.
Result<bool> has_affix(const Text& text, const Value& affix, bool at_front) {
    if (affix.text() == nullptr) return refuse("startswith and endswith take text");
    return at_front ? text.bytes.starts_with(affix.text()->bytes)
                    : text.bytes.ends_with(affix.text()->bytes);
}

Result<Value> split(const Text& text, const Arguments& arguments) {
    const Value separator = arguments.get(0, "sep");
    const Value limit = arguments.get(1, "maxsplit");
    const auto* given = limit.get_if<std::int64_t>();
    std::int64_t left = given == nullptr || *given < 0 ? std::int64_t{1} << 60 : *given;
    List parts;
    if (separator.text() == nullptr) {  // runs of white space
        Text rest = stripped(text, Side::kLeft);
        while (!rest.bytes.empty()) {
            std::size_t end = left-- > 0 ? 0 : rest.bytes.size();
            while (end < rest.bytes.size() &&
                   stripped(rest.slice(end, 1), Side::kLeft).bytes.size() == 1)
                ++end;
            parts.push_back(Value::of(rest.slice(0, end)));
            rest = stripped(rest.slice(end, std::string::npos), Side::kLeft);
        }
        return Value::of(std::move(parts));
    }
    const std::string& between = separator.text()->bytes;
    if (between.empty()) return refuse("split by empty text");
    std::size_t at = 0;
    for (std::size_t end = 0; left > 0 && (end = text.bytes.find(between, at)) != std::string::npos;
         --left) {
        parts.push_back(Value::of(text.slice(at, end - at)));
        at = end + between.size();
    }
    parts.push_back(Value::of(text.slice(at, std::string::npos)));
    return Value::of(std::move(parts));
}

Result<Value> replaced(const Text& text, const Arguments& arguments, Budget& budget) {
    const Value from = arguments.get(0, "old");
    const Value to = arguments.get(1, "new");
    if (from.text() == nullptr || to.text() == nullptr || from.text()->bytes.empty())
        return refuse("replace takes two texts, the first not empty");
    const std::string& old = from.text()->bytes;
    Text out;
    std::size_t at = 0;
    for (std::size_t end = 0; (end = text.bytes.find(old, at)) != std::string::npos;) {
        MC_TRY(budget.spend_text(end - at + to.text()->bytes.size()));
        out.append(text.slice(at, end - at));
        out.append(*to.text());
        at = end + old.size();
    }
    out.append(text.slice(at, std::string::npos));
    return Value::of(std::move(out));
}

Result<Value> text_method(const Text& text, const std::string& name, const Arguments& arguments,
                          Budget& budget) {
    MC_TRY(budget.spend_text(text.bytes.size()));
    const Value wanted = arguments.get(0, "chars");
    const std::size_t wanted_size = wanted.text() == nullptr ? 0 : wanted.text()->bytes.size();
    MC_TRY(budget.spend_search(text.bytes.size(), wanted_size));
    if (name == "strip" || name == "lstrip" || name == "rstrip") {
        const Value chars = arguments.get(0, "chars");
        const Side side = name == "strip"    ? Side::kBoth
                          : name == "lstrip" ? Side::kLeft
                                             : Side::kRight;
        return Value::of(
            stripped(text, side, chars.text() == nullptr ? nullptr : &chars.text()->bytes));
    }
    if (name == "startswith" || name == "endswith") {
        MC_ASSIGN(const bool found, has_affix(text, arguments.get(0, ""), name == "startswith"));
        return Value::of(found);
    }
    if (name == "upper" || name == "lower" || name == "capitalize" || name == "title")
        return change_case(name, text);
    if (name == "split") {
        MC_TRY(budget.spend_steps(text.bytes.size()));
        return split(text, arguments);
    }
    if (name == "replace") return replaced(text, arguments, budget);
    return refuse("the method '" + name + "' of text is not supported");
}

Result<Value> map_method(const Value& base, const std::string& name, const Arguments& arguments) {
    if (name == "get") {
        const Value key = arguments.get(0, "");
        if (key.text() == nullptr) return refuse("get takes text");
        const Value found = base.member(key.text()->bytes);
        if (!found.is_undefined()) return found;
        const Value otherwise = arguments.get(1, "");
        return otherwise.is_undefined() ? Value::none() : otherwise;
    }
    List out;
    for (const auto& [key, value] : *base.map()) {
        if (name == "keys") {
            out.push_back(Value::of(key));
        } else if (name == "values") {
            out.push_back(value);
        } else if (name == "items") {
            MC_ASSIGN(Value pair, Value::of(List{Value::of(key), value}));
            out.push_back(std::move(pair));
        } else {
            return refuse("the method '" + name + "' of a mapping is not supported");
        }
    }
    return Value::of(std::move(out));
}

}  // namespace

Result<Value> call_method(const Value& base, const std::string& name, const Arguments& arguments,
                          Budget& budget) {
    if (const Text* text = base.text()) return text_method(*text, name, arguments, budget);
    if (base.map() != nullptr) {
        MC_TRY(budget.spend_steps(base.map()->size()));
        return map_method(base, name, arguments);
    }
    if (const auto* missing = base.get_if<Undefined>())
        return refuse("'" + missing->name + "' is undefined");
    return refuse("the method '" + name + "' of " + base.type_name() + " is not supported");
}

}  // namespace mc::lm::jinja
