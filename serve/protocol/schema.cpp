// SPDX-License-Identifier: Apache-2.0
#include "serve/protocol/schema.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace mc::serve {
namespace {

bool has_type(const Json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    return type == "null" && value.is_null();
}

Result<void> wrong(const std::string& name, const std::string& wanted) {
    return fail(ErrorCode::kInvalidInput, name + " must be " + wanted);
}

Result<void> check_type(const Json& type, const Json& value, const std::string& name) {
    if (type.is_string()) {
        if (has_type(value, type.get<std::string>())) return {};
        return wrong(name, "of type " + type.get<std::string>());
    }
    for (const Json& one : type)
        if (has_type(value, one.get<std::string>())) return {};
    return wrong(name, "of a type among " + type.dump());
}

Result<void> check_limits(const Json& schema, const Json& value, const std::string& name) {
    if (schema.contains("enum") && std::ranges::find(schema["enum"], value) == schema["enum"].end())
        return wrong(name, "one of " + schema["enum"].dump());
    if (value.is_number()) {
        if (schema.contains("minimum") && value < schema["minimum"])
            return wrong(name, "at least " + schema["minimum"].dump());
        if (schema.contains("maximum") && value > schema["maximum"])
            return wrong(name, "at most " + schema["maximum"].dump());
    }
    if (value.is_string() && schema.contains("minLength") &&
        value.get_ref<const std::string&>().size() < schema["minLength"])
        return wrong(name, "longer");
    if (value.is_array() && schema.contains("maxItems") && value.size() > schema["maxItems"])
        return wrong(name, "of at most " + schema["maxItems"].dump() + " items");
    return {};
}

Result<void> check_object(const Json& schema, const Json& value, const std::string& name) {
    for (const Json& key : schema.value("required", Json::array()))
        if (!value.contains(key.get<std::string>()))
            return fail(ErrorCode::kInvalidInput, name + " needs " + key.get<std::string>());
    const Json properties = schema.value("properties", Json::object());
    const Json others = schema.value("additionalProperties", Json(true));
    for (const auto& [key, item] : value.items()) {
        const std::string path = name + "." + key;
        if (properties.contains(key))
            MC_TRY(check_schema(properties[key], item, path));
        else if (others.is_object())
            MC_TRY(check_schema(others, item, path));
        else if (others == false)
            return fail(ErrorCode::kInvalidInput, name + " does not take " + key);
    }
    return {};
}

}  // namespace

Result<void> check_schema(const Json& schema, const Json& value, const std::string& name) {
    if (schema.contains("type")) MC_TRY(check_type(schema["type"], value, name));
    MC_TRY(check_limits(schema, value, name));
    if (value.is_object()) return check_object(schema, value, name);
    if (value.is_array() && schema.contains("items"))
        for (std::size_t i = 0; i < value.size(); ++i)
            MC_TRY(check_schema(schema["items"], value[i], name + "[" + std::to_string(i) + "]"));
    return {};
}

}  // namespace mc::serve
