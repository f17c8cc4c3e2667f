// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/options.h"

#include <CLI/CLI.hpp>
#include <array>
#include <string_view>
#include <system_error>
#include <vector>

#include "apps/commands/command.h"
#include "core/files.h"

namespace mc::apps {
namespace {

constexpr std::uint64_t kConfigFileBytesMax = 1 << 20;

std::string help_of(const SettingInfo& info) {
    std::string help(info.help);
    std::string choices;
    for (const std::string_view choice : info.choices)
        choices += (choices.empty() ? "" : ", ") + std::string(choice);
    if (!choices.empty()) help += ": " + choices;
    if (!info.default_text.empty()) help += " [" + std::string(info.default_text) + "]";
    return help;
}

std::string value_name_of(const SettingInfo& info) {
    if (info.kind == SettingInfo::Kind::kNumber) return "N";
    if (info.kind == SettingInfo::Kind::kPath) return info.key == "store" ? "DIR" : "FILE";
    return "NAME";
}

}  // namespace

CLI::Option* add_setting_flag(CLI::App& app, ConfigLayer& flags, Setting setting) {
    const SettingInfo& info = setting_info(setting);
    const std::string flag = flag_name(setting);
    const auto store_value = [&flags, setting, flag](const std::string& text) {
        flags.values[setting] = {text, flag};
    };
    CLI::Option* option = app.add_option_function<std::string>(flag, store_value, help_of(info));
    return option->type_name(value_name_of(info))->take_last();
}

void add_global_options(CLI::App& program, GlobalOptions& options) {
    constexpr std::array settings{Setting::kStore,    Setting::kBank,          Setting::kModel,
                                  Setting::kDevice,   Setting::kDtype,         Setting::kThreads,
                                  Setting::kCodebook, Setting::kEmbedder,      Setting::kLens,
                                  Setting::kKeyFile,  Setting::kPassphraseFile};
    for (const Setting setting : settings) add_setting_flag(program, options.flags, setting);
    program
        .add_option("--config", options.config_file,
                    "settings from this TOML file alone, not from megacontext.toml in the working "
                    "folder or the user's configuration folder")
        ->type_name("FILE")
        ->take_last();
    add_setting_flag(program, options.flags, Setting::kLogLevel);
    program.add_flag("--log-json", options.log_json, "log lines as JSON");
    program.add_flag("--json", options.json, "results and errors as JSON");
    program.add_flag("--no-color", options.no_color, "no colour, as with NO_COLOR set");
}

Result<ResolvedConfig> resolve_settings(const GlobalOptions& options) {
    const Environment environment = process_environment();
    if (options.config_file.empty()) {
        // A folder that is gone holds no settings: the empty path finds none.
        std::error_code gone;
        const Path folder = std::filesystem::current_path(gone);
        return load_config(options.flags, environment, folder);
    }
    MC_ASSIGN(const std::string content, read_file(options.config_file, kConfigFileBytesMax));
    MC_ASSIGN(ConfigLayer file, toml_layer(content, options.config_file));
    const std::array layers{options.flags, environment_layer(environment), std::move(file),
                            default_layer(environment)};
    return resolve(layers);
}

bool asks_for_json(int argument_count, const char* const* arguments) {
    for (int i = 1; i < argument_count; ++i) {
        const std::string_view argument(arguments[i]);
        if (argument == "--") return false;
        if (argument == "--json") return true;
    }
    return false;
}

}  // namespace mc::apps
