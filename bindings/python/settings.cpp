// SPDX-License-Identifier: Apache-2.0
#include "bindings/python/settings.h"

#include <optional>
#include <system_error>

namespace mc::python {
namespace {

std::optional<Setting> find_setting(const std::string& key) {
    for (std::size_t i = 0; i < kSettingCount; ++i) {
        const auto setting = static_cast<Setting>(i);
        if (setting_info(setting).key == key) return setting;
    }
    return std::nullopt;
}

std::string all_keys() {
    std::string keys;
    for (std::size_t i = 0; i < kSettingCount; ++i)
        keys += (keys.empty() ? "" : ", ") + std::string(setting_info(static_cast<Setting>(i)).key);
    return keys;
}

}  // namespace

Result<Config> resolve_arguments(const SettingTexts& arguments) {
    ConfigLayer layer;
    for (const auto& [key, text] : arguments) {
        const auto setting = find_setting(key);
        if (!setting)
            return fail(ErrorCode::kUsage,
                        "argument: there is no setting " + key + "; there are " + all_keys());
        layer.values[*setting] = {text, "argument"};
    }
    // A folder that is gone holds no settings: the empty path finds none.
    std::error_code gone;
    const Path folder = std::filesystem::current_path(gone);
    MC_ASSIGN(ResolvedConfig resolved,
              load_config(std::move(layer), process_environment(), folder));
    return std::move(resolved.config);
}

}  // namespace mc::python
