// SPDX-License-Identifier: Apache-2.0
#include "lm/jinja/value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/utf8.h"

namespace mc::lm::jinja {
namespace {

constexpr std::size_t kBytesPerWeight = 16;

// "1.0" and not "1", as Python writes floats.
std::string float_text(double x) {
    std::array<char, 40> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), x).ptr;
    std::string text(buffer.data(), end);
    const bool looks_whole = text.find_first_not_of("-0123456789") == std::string::npos;
    return looks_whole ? text + ".0" : text;
}

struct Extent {
    int depth = 0;
    std::uint64_t weight = 1;
};

Result<void> add_extent(const Value& item, Extent& extent) {
    if (item.name_space() != nullptr)
        return fail(ErrorCode::kInvalidInput, "a namespace inside another value");
    extent.depth = std::max(extent.depth, item.depth());
    extent.weight += item.weight();
    if (extent.depth >= kValueDepthMax || extent.weight > kValueWeightMax)
        return fail(ErrorCode::kInvalidInput, "a list or mapping grew too large");
    return {};
}

void append_json_text(const Text& text, Text& out) {
    constexpr const char* kDigits = "0123456789abcdef";
    out.append("\"", Origin::kTemplate);
    for (std::size_t i = 0; i < text.bytes.size(); ++i) {
        const char c = text.bytes[i];
        const Origin origin = text.origin(i);
        constexpr std::string_view kEscaped = "\"\\\n\r\t\b\f";
        constexpr std::string_view kLetters = "\"\\nrtbf";
        if (const std::size_t at = kEscaped.find(c); at != std::string_view::npos)
            out.append(std::string("\\") + kLetters[at], origin);
        else if (static_cast<unsigned char>(c) < 0x20)
            out.append(std::string("\\u00") + kDigits[c >> 4] + kDigits[c & 15], origin);
        else
            out.append(std::string_view(&c, 1), origin);
    }
    out.append("\"", Origin::kTemplate);
}

// Every number, word and bracket of JSON is the template's; text keeps its origin.
class JsonWriter {
  public:
    explicit JsonWriter(int indent) : indent_(indent) {}

    Result<void> write(const Value& value, int depth) {
        if (const Text* text = value.text()) {
            append_json_text(*text, out_);
            return {};
        }
        if (const List* list = value.list()) return write_list(*list, depth);
        if (const Map* map = value.map()) return write_map(*map, depth);
        if (value.is_none()) {
            plain("null");
        } else if (const bool* b = value.get_if<bool>()) {
            plain(*b ? "true" : "false");
        } else if (value.is_number()) {
            MC_ASSIGN(const Text number, printed(value));
            out_.append(number);
        } else {
            return fail(ErrorCode::kInvalidInput,
                        std::string("tojson of ") + value.type_name() + " is not supported");
        }
        return {};
    }

    Text take() { return std::move(out_); }

  private:
    void plain(std::string_view text) { out_.append(text, Origin::kTemplate); }

    void line(int depth) {
        if (indent_ < 0) return;
        plain("\n" + std::string(static_cast<std::size_t>(indent_ * depth), ' '));
    }

    void between() { plain(indent_ < 0 ? ", " : ","); }

    Result<void> write_list(const List& list, int depth) {
        plain("[");
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (i > 0) between();
            line(depth + 1);
            MC_TRY(write(list[i], depth + 1));
        }
        if (!list.empty()) line(depth);
        plain("]");
        return {};
    }

    Result<void> write_map(const Map& map, int depth) {
        plain("{");
        for (std::size_t i = 0; i < map.size(); ++i) {
            if (i > 0) between();
            line(depth + 1);
            append_json_text(map[i].first, out_);
            plain(": ");
            MC_TRY(write(map[i].second, depth + 1));
        }
        if (!map.empty()) line(depth);
        plain("}");
        return {};
    }

    int indent_;
    Text out_;
};

bool is_python_space(std::string_view character) {
    static constexpr std::array<std::string_view, 19> kWide = {
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
        "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
        "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
    if (character.size() > 1) return std::ranges::find(kWide, character) != kWide.end();
    const char c = character[0];
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
}

bool is_in(std::string_view character, const std::string* chars) {
    return chars == nullptr ? is_python_space(character)
                            : chars->find(character) != std::string::npos;
}

}  // namespace

Text Text::of(std::string_view bytes, Origin origin) {
    return {std::string(bytes), std::string(bytes.size(), static_cast<char>(origin))};
}

Text Text::slice(std::size_t begin, std::size_t size) const {
    return {bytes.substr(begin, size), origins.substr(begin, size)};
}

void Text::append(const Text& other) {
    bytes += other.bytes;
    origins += other.origins;
}

void Text::append(std::string_view more, Origin origin) {
    bytes += more;
    origins.append(more.size(), static_cast<char>(origin));
}

Value Value::of(Text text) {
    return Value(Any(std::make_shared<const Text>(std::move(text))));
}

Result<Value> Value::of(List items) {
    Extent extent;
    for (const Value& item : items) MC_TRY(add_extent(item, extent));
    Value value(Any(std::make_shared<const List>(std::move(items))));
    value.depth_ = extent.depth + 1;
    value.weight_ = extent.weight;
    return value;
}

Result<Value> Value::of(Map items) {
    Extent extent;
    for (const auto& [key, item] : items) {
        MC_TRY(add_extent(item, extent));
        extent.weight += 1 + key.bytes.size() / kBytesPerWeight;
    }
    Value value(Any(std::make_shared<const Map>(std::move(items))));
    value.depth_ = extent.depth + 1;
    value.weight_ = extent.weight;
    return value;
}

const Text* Value::text() const {
    const auto* found = get_if<std::shared_ptr<const Text>>();
    return found == nullptr ? nullptr : found->get();
}

const List* Value::list() const {
    const auto* found = get_if<std::shared_ptr<const List>>();
    return found == nullptr ? nullptr : found->get();
}

const Map* Value::map() const {
    const auto* found = get_if<std::shared_ptr<const Map>>();
    return found == nullptr ? nullptr : found->get();
}

Namespace* Value::name_space() const {
    const auto* found = get_if<std::shared_ptr<Namespace>>();
    return found == nullptr ? nullptr : found->get();
}

std::uint64_t Value::weight() const {
    const Text* own = text();
    return own == nullptr ? weight_ : 1 + own->bytes.size() / kBytesPerWeight;
}

bool Value::is_number() const {
    return std::holds_alternative<bool>(any_) || std::holds_alternative<std::int64_t>(any_) ||
           std::holds_alternative<double>(any_);
}

double Value::number() const {
    if (const bool* b = get_if<bool>()) return *b ? 1 : 0;
    if (const auto* i = get_if<std::int64_t>()) return static_cast<double>(*i);
    return *get_if<double>();
}

bool Value::truthy() const {
    if (is_number()) return number() != 0;
    if (const Text* t = text()) return !t->bytes.empty();
    if (const List* l = list()) return !l->empty();
    if (const Map* m = map()) return !m->empty();
    return name_space() != nullptr;
}

const char* Value::type_name() const {
    static constexpr std::array kNames = {"an undefined value",
                                          "none",
                                          "a boolean",
                                          "a whole number",
                                          "a float",
                                          "text",
                                          "a list",
                                          "a mapping",
                                          "a namespace"};
    return kNames[any_.index()];
}

Value Value::member(std::string_view name) const {
    if (const Map* entries = map()) {
        for (const auto& [key, value] : *entries)
            if (key.bytes == name) return value;
    }
    if (const Namespace* space = name_space()) {
        for (const auto& [key, value] : space->attributes)
            if (key == name) return value;
    }
    return undefined(std::string(name));
}

bool equal(const Value& a, const Value& b) {
    if (a.is_number() && b.is_number()) return a.number() == b.number();
    if (a.text() != nullptr && b.text() != nullptr) return a.text()->bytes == b.text()->bytes;
    if (a.list() != nullptr && b.list() != nullptr)
        return std::ranges::equal(*a.list(), *b.list(), equal);
    if (a.map() != nullptr && b.map() != nullptr) {
        if (a.map()->size() != b.map()->size()) return false;
        return std::ranges::all_of(*a.map(), [&](const auto& entry) {
            return equal(entry.second, b.member(entry.first.bytes));
        });
    }
    if (a.name_space() != nullptr) return a.name_space() == b.name_space();
    return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

Result<Text> printed(const Value& value) {
    if (const Text* text = value.text()) return *text;
    std::string plain;
    if (value.is_none()) plain = "None";
    if (const bool* b = value.get_if<bool>()) plain = *b ? "True" : "False";
    if (const auto* i = value.get_if<std::int64_t>()) plain = std::to_string(*i);
    if (const auto* x = value.get_if<double>()) plain = float_text(*x);
    if (value.list() != nullptr || value.map() != nullptr || value.name_space() != nullptr)
        return fail(ErrorCode::kInvalidInput,
                    std::string("printing ") + value.type_name() + " is not supported");
    return Text::of(plain, Origin::kTemplate);
}

Result<Text> to_json(const Value& value, int indent) {
    JsonWriter writer(indent);
    MC_TRY(writer.write(value, 0));
    return writer.take();
}

Text stripped(const Text& text, Side side, const std::string* chars) {
    std::size_t begin = 0;
    std::size_t end = text.bytes.size();
    const std::string_view bytes = text.bytes;
    const auto is_slot = [&](std::size_t i) { return text.origin(i) == Origin::kSlot; };
    while (side != Side::kRight && begin < end && !is_slot(begin)) {
        const std::size_t size =
            std::max<std::size_t>(1, utf8_character_size(bytes.substr(begin, end - begin)));
        if (!is_in(bytes.substr(begin, size), chars)) break;
        begin += size;
    }
    while (side != Side::kLeft && end > begin && !is_slot(end - 1)) {
        std::size_t size = 1;
        while (size < 4 && size < end - begin &&
               utf8_character_size(bytes.substr(end - size, size)) != size)
            ++size;
        if (utf8_character_size(bytes.substr(end - size, size)) != size) size = 1;
        if (!is_in(bytes.substr(end - size, size), chars)) break;
        end -= size;
    }
    return text.slice(begin, end - begin);
}

}  // namespace mc::lm::jinja
