// SPDX-License-Identifier: Apache-2.0
// Filters and tests.
#include "lm/jinja/builtins.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "core/utf8.h"

namespace mc::lm::jinja {
namespace {

std::int64_t character_count(std::string_view bytes) {
    return std::count_if(bytes.begin(), bytes.end(),
                         [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
}

Result<Value> length_of(const Value& value) {
    if (const Text* text = value.text()) return Value::of(character_count(text->bytes));
    if (const List* list = value.list()) return Value::of(static_cast<std::int64_t>(list->size()));
    if (const Map* map = value.map()) return Value::of(static_cast<std::int64_t>(map->size()));
    if (value.is_undefined()) return Value::of(std::int64_t{0});
    return refuse(std::string("the length of ") + value.type_name());
}

// Numbers stay; text is read, or becomes what Python's filters default to.
Result<Value> to_number(const Value& value, bool whole) {
    double number = value.is_number() ? value.number() : 0;
    if (const Text* text = value.text()) {
        const std::string digits = stripped(*text, Side::kBoth).bytes;
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
    }
    if (!whole) return Value::of(number);
    constexpr double kLimit = 9e18;
    return Value::of(static_cast<std::int64_t>(std::clamp(number, -kLimit, kLimit)));
}

Result<Value> joined(const Value& value, const Arguments& arguments, Budget& budget) {
    MC_ASSIGN(const List items, items_of(value, budget));
    MC_ASSIGN(const Text separator, printed(arguments.get(0, "d")));
    const Value attribute = arguments.get(1, "attribute");
    Text out;
    for (std::size_t i = 0; i < items.size(); ++i) {
        MC_ASSIGN(const Value item,
                  attribute.is_undefined() ? items[i] : member_at(items[i], attribute));
        MC_ASSIGN(const Text text, printed(item));
        MC_TRY(budget.spend_text(text.bytes.size() + separator.bytes.size()));
        if (i > 0) out.append(separator);
        out.append(text);
    }
    return Value::of(std::move(out));
}

// selectattr(name), selectattr(name, test, argument…); rejectattr likewise.
Result<Value> selected(const Value& value, const Arguments& arguments, bool wanted,
                       Budget& budget) {
    MC_ASSIGN(const List items, items_of(value, budget));
    const Value name = arguments.get(0, "");
    const Value test = arguments.get(1, "");
    Arguments rest;
    for (std::size_t i = 2; i < arguments.positional.size(); ++i)
        rest.positional.push_back(arguments.positional[i]);
    List out;
    for (const Value& item : items) {
        MC_ASSIGN(const Value member, member_at(item, name));
        bool passes = member.truthy();
        if (test.text() != nullptr) {
            MC_ASSIGN(passes, call_test(test.text()->bytes, member, rest, budget));
        }
        if (passes == wanted) out.push_back(item);
    }
    return Value::of(std::move(out));
}

Result<Value> mapped(const Value& value, const Arguments& arguments, Budget& budget) {
    const Value attribute = arguments.get(99, "attribute");
    if (attribute.is_undefined())
        return refuse("the filter 'map' without attribute= is not supported");
    MC_ASSIGN(List items, items_of(value, budget));
    for (Value& item : items) {
        MC_ASSIGN(item, member_at(item, attribute));
    }
    return Value::of(std::move(items));
}

Result<Value> items_filter(const std::string& name, const Value& base, Budget& budget) {
    MC_ASSIGN(List items, items_of(base, budget));
    if (name == "list") return Value::of(std::move(items));
    if (name == "reverse") {
        std::ranges::reverse(items);
        return Value::of(std::move(items));
    }
    if (items.empty()) return Value::undefined("the " + name + " item of nothing");
    return name == "first" ? items.front() : items.back();
}

Result<Value> text_filter(const std::string& name, const Value& base, const Arguments& arguments,
                          Budget& budget) {
    MC_ASSIGN(const Text text, printed(base));
    MC_TRY(budget.spend_text(text.bytes.size()));
    if (name == "string" || name == "safe") return Value::of(text);
    if (name == "trim") return call_method(Value::of(text), "strip", arguments, budget);
    if (name == "replace") return call_method(Value::of(text), "replace", arguments, budget);
    return change_case(name, text);
}

bool is_one_of(const std::string& name, std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
}

Result<bool> type_test(const std::string& name, const Value& base) {
    const bool is_bool = base.get_if<bool>() != nullptr;
    if (name == "boolean") return is_bool;
    if (name == "true" || name == "false")
        return is_bool && *base.get_if<bool>() == (name == "true");
    if (name == "string") return base.text() != nullptr;
    if (name == "number") return base.is_number();
    if (name == "integer") return base.get_if<std::int64_t>() != nullptr;
    if (name == "float") return base.get_if<double>() != nullptr;
    if (name == "mapping") return base.map() != nullptr;
    const bool walks = base.text() != nullptr || base.list() != nullptr || base.map() != nullptr;
    if (name == "sequence" || name == "iterable") return walks || base.is_undefined();
    if (name == "odd" || name == "even") {
        const auto* number = base.get_if<std::int64_t>();
        if (number == nullptr)
            return refuse(std::string(base.type_name()) + " is neither odd nor even");
        return (*number % 2 != 0) == (name == "odd");
    }
    return refuse("the test '" + name + "' is not supported");
}

}  // namespace

Value Arguments::get(std::size_t index, std::string_view name) const {
    if (index < positional.size()) return positional[index];
    for (const auto& [keyword, value] : keywords)
        if (keyword == name) return value;
    return Value::undefined(std::string(name));
}

Result<Value> change_case(const std::string& name, const Text& text) {
    Text out = text;
    bool starts_word = true;
    for (char& c : out.bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) {
            starts_word = false;
            continue;
        }
        const bool up = name == "upper" || (name != "lower" && starts_word);
        c = static_cast<char>(up ? std::toupper(byte) : std::tolower(byte));
        starts_word = name == "title" && std::isalpha(byte) == 0;
    }
    return Value::of(std::move(out));
}

Result<Value> call_filter(const std::string& name, const Value& base, const Arguments& arguments,
                          Budget& budget) {
    if (is_one_of(name,
                  {"trim", "upper", "lower", "capitalize", "title", "string", "safe", "replace"}))
        return text_filter(name, base, arguments, budget);
    if (is_one_of(name, {"list", "reverse", "first", "last"}))
        return items_filter(name, base, budget);
    if (name == "default" || name == "d") {
        const bool replaces =
            arguments.get(1, "boolean").truthy() ? !base.truthy() : base.is_undefined();
        if (!replaces) return base;
        const Value value = arguments.get(0, "default_value");
        return value.is_undefined() ? Value::literal("") : value;
    }
    if (name == "length" || name == "count") return length_of(base);
    if (name == "int" || name == "float") return to_number(base, name == "int");
    if (name == "join") return joined(base, arguments, budget);
    if (name == "map") return mapped(base, arguments, budget);
    if (name == "selectattr" || name == "rejectattr")
        return selected(base, arguments, name == "selectattr", budget);
    if (name == "items") return call_method(base, "items", arguments, budget);
    if (name == "tojson") {
        constexpr std::int64_t kIndentMax = 16;
        const Value indent = arguments.get(0, "indent");
        const auto* width = indent.get_if<std::int64_t>();
        // Every byte may become an escape of six, every line gets its indent.
        MC_TRY(budget.spend_text(base.weight() * 600));
        MC_ASSIGN(Text json,
                  to_json(base, width == nullptr ? -1
                                                 : static_cast<int>(std::clamp<std::int64_t>(
                                                       *width, 0, kIndentMax))));
        return Value::of(std::move(json));
    }
    return refuse("the filter '" + name + "' is not supported");
}

Result<bool> call_test(const std::string& name, const Value& base, const Arguments& arguments,
                       Budget& budget) {
    if (name == "defined") return !base.is_undefined();
    if (name == "undefined") return base.is_undefined();
    if (name == "none") return base.is_none();
    const std::string op = is_one_of(name, {"eq", "equalto", "sameas"}) ? "=="
                           : name == "ne"                               ? "!="
                           : name == "lt"                               ? "<"
                           : name == "gt"                               ? ">"
                           : name == "in"                               ? "in"
                                                                        : "";
    if (op.empty()) return type_test(name, base);
    MC_ASSIGN(const Value result, apply_operator(op, base, arguments.get(0, ""), budget));
    return result.truthy();
}

}  // namespace mc::lm::jinja
