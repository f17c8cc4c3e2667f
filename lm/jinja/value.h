// SPDX-License-Identifier: Apache-2.0
// Values of a chat template: text that knows where each byte came from, numbers, lists, mappings.
//
// Value types; lists and mappings are shared and never changed, so copies are cheap. Only a
// namespace changes, and it cannot be put into another value: values have no cycles.
// Errors: kInvalidInput saying what cannot be done; the caller adds the template's line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.h"

namespace mc::lm::jinja {

// Where a byte of text came from: only kTemplate may spell control tokens.
enum class Origin : char { kTemplate, kContent, kSlot };

struct Text {
    std::string bytes;
    std::string origins;  // as long as bytes; each one an Origin

    static Text of(std::string_view bytes, Origin origin);
    Text slice(std::size_t begin, std::size_t size) const;
    void append(const Text& other);
    void append(std::string_view more, Origin origin);

    Origin origin(std::size_t i) const { return static_cast<Origin>(origins[i]); }
};

class Value;
using List = std::vector<Value>;
using Map = std::vector<std::pair<Text, Value>>;  // in order of insertion

struct Undefined {
    std::string name;  // of what is missing, for errors
};

struct None {};

// What `namespace()` makes: the one thing that `set` changes in place.
struct Namespace {
    std::vector<std::pair<std::string, Value>> attributes;
};

// Containers within containers, so that no walk over a value is deep.
inline constexpr int kValueDepthMax = 32;
// Parts of one value, shared ones counted as often as they are met: 32 levels of [x, x] would be
// 2^32.
inline constexpr std::uint64_t kValueWeightMax = 1 << 20;

class Value {
  public:
    using Any = std::variant<Undefined, None, bool, std::int64_t, double,
                             std::shared_ptr<const Text>, std::shared_ptr<const List>,
                             std::shared_ptr<const Map>, std::shared_ptr<Namespace>>;

    Value() = default;

    explicit Value(Any any) : any_(std::move(any)) {}

    static Value undefined(std::string name) { return Value(Any(Undefined{std::move(name)})); }

    static Value none() { return Value(Any(None())); }

    static Value of(bool b) { return Value(Any(b)); }

    static Value of(std::int64_t i) { return Value(Any(i)); }

    static Value of(double x) { return Value(Any(x)); }

    static Value of(Text text);

    static Value literal(std::string_view text) { return of(Text::of(text, Origin::kTemplate)); }

    // Errors: too deep, too heavy, or a namespace inside.
    static Result<Value> of(List items);
    static Result<Value> of(Map items);

    template <class T>
    const T* get_if() const {
        return std::get_if<T>(&any_);
    }

    bool is_undefined() const { return get_if<Undefined>() != nullptr; }

    bool is_none() const { return get_if<None>() != nullptr; }

    const Text* text() const;
    const List* list() const;
    const Map* map() const;
    Namespace* name_space() const;
    bool is_number() const;  // a bool counts, as in Python
    double number() const;   // Requires: is_number()

    bool truthy() const;
    const char* type_name() const;

    int depth() const { return depth_; }

    // What a walk over the value costs, shared parts counted as often as they are met.
    std::uint64_t weight() const;

    // The entry of a mapping or a namespace, or undefined.
    Value member(std::string_view name) const;

  private:
    Any any_;
    int depth_ = 0;  // of containers
    std::uint64_t weight_ = 1;
};

bool equal(const Value& a, const Value& b);

// What {{ value }} prints; undefined prints nothing. Errors: lists and mappings.
Result<Text> printed(const Value& value);

// As json.dumps(ensure_ascii=False, indent=indent); no indent below 0.
Result<Text> to_json(const Value& value, int indent);

// Text without the characters at either end that Python's str.strip() removes, or those of chars.
enum class Side { kLeft, kRight, kBoth };
Text stripped(const Text& text, Side side, const std::string* chars = nullptr);

}  // namespace mc::lm::jinja
