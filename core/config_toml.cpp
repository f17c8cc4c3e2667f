// SPDX-License-Identifier: Apache-2.0
// The only file that includes toml++, built without exceptions.
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "core/config.h"

namespace mc {
namespace {

std::string place_of(const Path& file, const toml::source_position& position) {
    return file.string() + ":" + std::to_string(position.line);
}

std::optional<Setting> setting_from_key(std::string_view key) {
    for (std::size_t i = 0; i < kSettingCount; ++i)
        if (setting_info(static_cast<Setting>(i)).key == key) return static_cast<Setting>(i);
    return std::nullopt;
}

std::string allowed_keys() {
    std::string keys;
    for (std::size_t i = 0; i < kSettingCount; ++i)
        keys += (i == 0 ? "" : ", ") + std::string(setting_info(static_cast<Setting>(i)).key);
    return keys;
}

std::string_view type_name(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::string:
            return "a string";
        case toml::node_type::integer:
            return "a whole number";
        case toml::node_type::floating_point:
            return "a fraction";
        case toml::node_type::boolean:
            return "true or false";
        case toml::node_type::table:
            return "a table";
        case toml::node_type::array:
            return "a list";
        default:
            return "a date or time";
    }
}

// The setting's value as text, or an error when its TOML type is not the setting's.
Result<std::string> text_of(const toml::node& node, const SettingInfo& info,
                            const std::string& place, const Path& file) {
    const bool number = info.kind == SettingInfo::Kind::kNumber;
    if (number && node.is_integer()) return std::to_string(**node.as_integer());
    if (!number && node.is_string()) {
        const std::string& text = **node.as_string();
        if (info.kind != SettingInfo::Kind::kPath || text.empty() || text.starts_with("~"))
            return text;
        return (file.parent_path() / text).lexically_normal().string();
    }
    return fail(ErrorCode::kUsage, place + ": " + std::string(info.key) + " must be " +
                                       (number ? "a whole number" : "a string") + ", not " +
                                       std::string(type_name(node)));
}

}  // namespace

Result<ConfigLayer> toml_layer(std::string_view content, const Path& file) {
    const toml::parse_result parsed = toml::parse(content, file.string());
    if (!parsed)
        return fail(ErrorCode::kUsage, place_of(file, parsed.error().source().begin) + ": " +
                                           std::string(parsed.error().description()));
    ConfigLayer layer;
    for (const auto& [key, node] : parsed.table()) {
        const std::string place = place_of(file, key.source().begin);
        const auto setting = setting_from_key(key.str());
        if (!setting)
            return fail(ErrorCode::kUsage, place + ": unknown key \"" + std::string(key.str()) +
                                               "\"; the keys are " + allowed_keys());
        MC_ASSIGN(std::string text, text_of(node, setting_info(*setting), place, file));
        layer.values[*setting] = {std::move(text), place};
    }
    return layer;
}

}  // namespace mc
