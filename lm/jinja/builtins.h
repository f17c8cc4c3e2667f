// SPDX-License-Identifier: Apache-2.0
// What expressions call.
//
// Filters: trim, upper, lower, capitalize, title, string, int, float, safe, default (d), length
// (count), first, last, list, join, replace, reverse, items, tojson, map(attribute=), selectattr,
// rejectattr. Tests: defined, undefined, none, boolean, true, false, string, number, integer,
// float, mapping, sequence, iterable, odd, even, eq, equalto, sameas, ne, lt, gt, in. Methods: of
// text strip, lstrip, rstrip, upper, lower, capitalize, title, startswith, endswith, split,
// replace, find, count; of mappings items, keys, values, get.
// Pure apart from the budget. Errors: kInvalidInput naming what is not supported or does not fit.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lm/jinja/budget.h"
#include "lm/jinja/value.h"

namespace mc::lm::jinja {

// What a template must not do.
inline tl::unexpected<Error> refuse(const std::string& what) {
    return fail(ErrorCode::kInvalidInput, what);
}

struct Arguments {
    std::vector<Value> positional;
    std::vector<std::pair<std::string, Value>> keywords;

    // By place or by name; undefined when not given.
    Value get(std::size_t index, std::string_view name) const;
};

Result<Value> call_filter(const std::string& name, const Value& base, const Arguments& arguments,
                          Budget& budget);
Result<bool> call_test(const std::string& name, const Value& base, const Arguments& arguments,
                       Budget& budget);
Result<Value> call_method(const Value& base, const std::string& name, const Arguments& arguments,
                          Budget& budget);

// Methods that have the same name and meaning as a filter.
Result<Value> change_case(const std::string& name, const Text& text);

// What `for` walks over: items, keys of a mapping, characters of text, nothing when undefined.
Result<List> items_of(const Value& value, Budget& budget);

Result<Value> apply_operator(const std::string& op, const Value& left, const Value& right,
                             Budget& budget);

Result<Value> member_at(const Value& base, const Value& index);
// Bounds as in Python; undefined where left out.
Result<Value> slice_of(const Value& base, const Value& begin, const Value& end, const Value& step,
                       Budget& budget);

}  // namespace mc::lm::jinja
