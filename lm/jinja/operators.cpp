// SPDX-License-Identifier: Apache-2.0
// Operators, subscripts and iteration.
#include <algorithm>
#include <cmath>

#include "core/utf8.h"
#include "lm/jinja/builtins.h"

namespace mc::lm::jinja {
namespace {

// A bool counts as a number, as in Python.
const std::int64_t* whole(const Value& value, std::int64_t& storage) {
    if (const bool* b = value.get_if<bool>()) {
        storage = *b ? 1 : 0;
        return &storage;
    }
    return value.get_if<std::int64_t>();
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
    const std::int64_t quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

Result<Value> whole_arithmetic(const std::string& op, std::int64_t a, std::int64_t b) {
    std::int64_t out = 0;
    bool overflow = false;
    if (op == "+") overflow = __builtin_add_overflow(a, b, &out);
    if (op == "-") overflow = __builtin_sub_overflow(a, b, &out);
    if (op == "*") overflow = __builtin_mul_overflow(a, b, &out);
    if (op == "//" || op == "%") {
        if (b == 0) return refuse("division by zero");
        if (b == -1) return op == "%" ? Value::of(std::int64_t{0}) : whole_arithmetic("-", 0, a);
        out = op == "//" ? floor_divide(a, b) : a - floor_divide(a, b) * b;
    }
    if (overflow) return refuse("a number grew too large");
    return Value::of(out);
}

Result<Value> arithmetic(const std::string& op, const Value& left, const Value& right) {
    if (op == "**") return refuse("the operator '**' is not supported");
    std::int64_t a_storage = 0;
    std::int64_t b_storage = 0;
    const std::int64_t* a = whole(left, a_storage);
    const std::int64_t* b = whole(right, b_storage);
    if (a != nullptr && b != nullptr && op != "/") return whole_arithmetic(op, *a, *b);
    const double x = left.number();
    const double y = right.number();
    if (op == "+") return Value::of(x + y);
    if (op == "-") return Value::of(x - y);
    if (op == "*") return Value::of(x * y);
    if (y == 0) return refuse("division by zero");
    if (op == "/") return Value::of(x / y);
    return op == "//" ? Value::of(std::floor(x / y)) : Value::of(x - std::floor(x / y) * y);
}

Result<Value> concatenated(const Text& left, const Text& right, Budget& budget) {
    MC_TRY(budget.spend_text(left.bytes.size() + right.bytes.size()));
    Text out = left;
    out.append(right);
    return Value::of(std::move(out));
}

Result<bool> contains(const Value& container, const Value& item, Budget& budget) {
    MC_TRY(budget.spend_steps(container.weight()));
    if (const Text* text = container.text()) {
        if (item.text() == nullptr) return refuse(std::string(item.type_name()) + " in text");
        MC_TRY(budget.spend_search(text->bytes.size(), item.text()->bytes.size()));
        return text->bytes.find(item.text()->bytes) != std::string::npos;
    }
    if (const List* list = container.list()) {
        MC_TRY(budget.spend_steps(item.weight() * list->size()));
        return std::ranges::any_of(*list, [&](const Value& x) { return equal(x, item); });
    }
    if (container.map() != nullptr)
        return item.text() != nullptr && !container.member(item.text()->bytes).is_undefined();
    if (container.is_undefined()) return false;
    return refuse(std::string("'in' ") + container.type_name());
}

Result<bool> is_less(const Value& a, const Value& b) {
    if (a.is_number() && b.is_number()) return a.number() < b.number();
    if (a.text() != nullptr && b.text() != nullptr) return a.text()->bytes < b.text()->bytes;
    return refuse(std::string("comparing ") + a.type_name() + " with " + b.type_name());
}

Result<Value> compared(const std::string& op, const Value& left, const Value& right) {
    // a >= b is not (a < b), and NaN cannot be written in a template.
    const bool swap = op == ">" || op == "<=";
    MC_ASSIGN(const bool less, swap ? is_less(right, left) : is_less(left, right));
    return Value::of(less == (op == "<" || op == ">"));
}

Result<std::int64_t> bound(const Value& value, std::int64_t otherwise) {
    if (value.is_undefined() || value.is_none()) return otherwise;
    std::int64_t storage = 0;
    const std::int64_t* number = whole(value, storage);
    if (number == nullptr) return refuse(std::string("a slice by ") + value.type_name());
    return *number;
}

}  // namespace

Result<Value> apply_operator(const std::string& op, const Value& left, const Value& right,
                             Budget& budget) {
    if (op == "==" || op == "!=") {
        MC_TRY(budget.spend_steps(std::min(left.weight(), right.weight())));
        return Value::of(equal(left, right) == (op == "=="));
    }
    if (op == "in" || op == "not in") {
        MC_ASSIGN(const bool found, contains(right, left, budget));
        return Value::of(found == (op == "in"));
    }
    if (op == "<" || op == ">" || op == "<=" || op == ">=") return compared(op, left, right);
    if (op == "~") {
        MC_ASSIGN(const Text a, printed(left));
        MC_ASSIGN(const Text b, printed(right));
        return concatenated(a, b, budget);
    }
    if (left.is_number() && right.is_number()) return arithmetic(op, left, right);
    if (op == "+" && left.text() != nullptr && right.text() != nullptr)
        return concatenated(*left.text(), *right.text(), budget);
    if (op == "+" && left.list() != nullptr && right.list() != nullptr) {
        MC_TRY(budget.spend_steps(left.list()->size() + right.list()->size()));
        List out = *left.list();
        out.insert(out.end(), right.list()->begin(), right.list()->end());
        return Value::of(std::move(out));
    }
    const auto named = [](const Value& value) {
        const auto* missing = value.get_if<Undefined>();
        return missing == nullptr ? value.type_name()
                                  : "'" + missing->name + "', which is undefined,";
    };
    return refuse("'" + op + "' of " + named(left) + " and " + named(right) + " is not supported");
}

Result<List> items_of(const Value& value, Budget& budget) {
    List out;
    if (const List* list = value.list()) {
        MC_TRY(budget.spend_steps(list->size()));
        return *list;
    }
    if (const Map* map = value.map()) {
        MC_TRY(budget.spend_steps(map->size()));
        for (const auto& [key, entry] : *map) out.push_back(Value::of(key));
        return out;
    }
    if (const Text* text = value.text()) {
        MC_TRY(budget.spend_steps(text->bytes.size()));
        for (std::size_t at = 0; at < text->bytes.size();) {
            const std::size_t size = std::max<std::size_t>(
                1, utf8_character_size(std::string_view(text->bytes).substr(at)));
            out.push_back(Value::of(text->slice(at, size)));
            at += size;
        }
        return out;
    }
    if (value.is_undefined()) return out;
    return refuse(std::string(value.type_name()) + " cannot be walked over");
}

Result<Value> member_at(const Value& base, const Value& index) {
    if (const auto* missing = base.get_if<Undefined>())
        return refuse("'" + missing->name + "' is undefined");
    if (const Text* key = index.text()) return base.member(key->bytes);
    std::int64_t storage = 0;
    const std::int64_t* number = whole(index, storage);
    const List* list = base.list();
    if (number == nullptr || (list == nullptr && base.text() == nullptr))
        return Value::undefined("a member of " + std::string(base.type_name()));
    const std::size_t size = list != nullptr ? list->size() : base.text()->bytes.size();
    const std::int64_t at = *number < 0 ? *number + static_cast<std::int64_t>(size) : *number;
    if (at < 0 || at >= static_cast<std::int64_t>(size))
        return Value::undefined("item " + std::to_string(*number));
    if (list != nullptr) return (*list)[static_cast<std::size_t>(at)];
    return Value::of(base.text()->slice(static_cast<std::size_t>(at), 1));
}

Result<Value> slice_of(const Value& base, const Value& begin, const Value& end, const Value& step,
                       Budget& budget) {
    if (base.list() == nullptr && base.text() == nullptr)
        return refuse(std::string("a slice of ") + base.type_name());
    MC_ASSIGN(const List items, items_of(base, budget));
    MC_ASSIGN(const std::int64_t stride, bound(step, 1));
    if (stride == 0) return refuse("a slice with step 0");
    const auto size = static_cast<std::int64_t>(items.size());
    const auto clamped = [&](std::int64_t at) {
        const std::int64_t from_front = at < 0 ? at + size : at;
        return stride > 0 ? std::clamp<std::int64_t>(from_front, 0, size)
                          : std::clamp<std::int64_t>(from_front, -1, size - 1);
    };
    MC_ASSIGN(const std::int64_t first, bound(begin, stride > 0 ? 0 : size - 1));
    std::int64_t last = stride > 0 ? size : -1;
    if (!end.is_undefined() && !end.is_none()) {
        MC_ASSIGN(const std::int64_t given, bound(end, 0));
        last = clamped(given);
    }
    List out;
    Text joined;
    std::int64_t at = clamped(first);
    while (stride > 0 ? at < last : at > last) {
        const Value& item = items[static_cast<std::size_t>(at)];
        if (base.text() != nullptr)
            joined.append(*item.text());
        else
            out.push_back(item);
        if (__builtin_add_overflow(at, stride, &at)) break;
    }
    if (base.text() != nullptr) return Value::of(std::move(joined));
    return Value::of(std::move(out));
}

}  // namespace mc::lm::jinja
