// SPDX-License-Identifier: Apache-2.0
#include "formats/json_text.h"

#include <nlohmann/json.hpp>
#include <set>

namespace mc::lm {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kDepthMax = 64;

// Follows the parser and remembers what makes a text unusable.
class Watcher {
  public:
    bool see(int depth, Json::parse_event_t event, const Json& value) {
        const auto level = static_cast<std::size_t>(depth);
        if (level >= kDepthMax) {
            fault_ = "nests deeper than " + std::to_string(kDepthMax) + " levels";
            return false;  // dropped, so that it takes no memory
        }
        if (event == Json::parse_event_t::object_start) keys_[level + 1].clear();
        if (event == Json::parse_event_t::key) {
            const auto& key = value.get_ref<const std::string&>();
            if (!keys_[level].insert(key).second) fault_ = "repeats the key '" + key + "'";
        }
        return true;
    }

    const std::string& fault() const { return fault_; }

  private:
    std::set<std::string> keys_[kDepthMax + 1];  // of the open object of each level
    std::string fault_;
};

}  // namespace

Result<Json> parse_json(std::string_view text, const std::string& file_name) {
    Watcher watcher;
    Json document = Json::parse(
        text.begin(), text.end(),
        [&](int depth, Json::parse_event_t event, Json& value) {
            return watcher.see(depth, event, value);
        },
        false);
    if (!watcher.fault().empty())
        return fail(ErrorCode::kInvalidInput, file_name + ": the JSON text " + watcher.fault());
    if (document.is_discarded())
        return fail(ErrorCode::kInvalidInput, file_name + ": not a JSON text");
    return document;
}

Result<JsonFields> JsonFields::of(const Json& document, const std::string& file_name) {
    if (!document.is_object())
        return fail(ErrorCode::kInvalidInput, file_name + ": not a JSON object");
    return JsonFields(document, file_name + ": ");
}

const Json* JsonFields::find(std::string_view key) const {
    const auto found = object_->find(key);
    return found == object_->end() || found->is_null() ? nullptr : &*found;
}

Result<const Json*> JsonFields::require(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr) return fail(error(key, "is missing"));
    return value;
}

Result<std::uint64_t> JsonFields::get_uint(std::string_view key) const {
    MC_ASSIGN(const Json* value, require(key));
    if (!value->is_number_unsigned()) return fail(error(key, "is not a whole number from 0 on"));
    return value->get<std::uint64_t>();
}

Result<double> JsonFields::get_float(std::string_view key) const {
    MC_ASSIGN(const Json* value, require(key));
    if (!value->is_number()) return fail(error(key, "is not a number"));
    return value->get<double>();
}

Result<std::string> JsonFields::get_string(std::string_view key) const {
    MC_ASSIGN(const Json* value, require(key));
    if (!value->is_string()) return fail(error(key, "is not a string"));
    return value->get<std::string>();
}

Result<std::vector<std::string>> JsonFields::get_strings(std::string_view key) const {
    MC_ASSIGN(const Json* value, require(key));
    if (!value->is_array()) return fail(error(key, "is not a list of strings"));
    std::vector<std::string> strings;
    for (const Json& one : *value) {
        if (!one.is_string()) return fail(error(key, "is not a list of strings"));
        strings.push_back(one.get<std::string>());
    }
    return strings;
}

Result<bool> JsonFields::get_bool_or(std::string_view key, bool otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) return fail(error(key, "is neither true nor false"));
    return value->get<bool>();
}

Result<double> JsonFields::get_float_or(std::string_view key, double otherwise) const {
    if (!has(key)) return otherwise;
    return get_float(key);
}

Result<std::uint64_t> JsonFields::get_uint_or(std::string_view key, std::uint64_t otherwise) const {
    if (!has(key)) return otherwise;
    return get_uint(key);
}

Result<std::string> JsonFields::get_string_or(std::string_view key,
                                              const std::string& otherwise) const {
    if (!has(key)) return otherwise;
    return get_string(key);
}

Result<JsonFields> JsonFields::get_object(std::string_view key) const {
    MC_ASSIGN(const Json* value, require(key));
    if (!value->is_object()) return fail(error(key, "is not an object"));
    return JsonFields(*value, where_ + std::string(key) + ".");
}

Result<std::vector<JsonFields>> JsonFields::get_objects(std::string_view key) const {
    MC_ASSIGN(const Json* value, require(key));
    if (!value->is_array()) return fail(error(key, "is not a list"));
    std::vector<JsonFields> objects;
    for (const Json& one : *value) {
        const std::string element = std::string(key) + "[" + std::to_string(objects.size()) + "]";
        if (!one.is_object()) return fail(error(element, "is not an object"));
        objects.emplace_back(one, where_ + element + ".");
    }
    return objects;
}

Error JsonFields::error(std::string_view key, std::string_view what) const {
    return {ErrorCode::kInvalidInput, where_ + std::string(key) + " " + std::string(what)};
}

}  // namespace mc::lm
