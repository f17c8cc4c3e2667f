// SPDX-License-Identifier: Apache-2.0
// The program's settings: one value type, where each value came from, and who wins.
//
// A setting may be given, strongest first, by a flag (--log-level), the environment
// (MEGACONTEXT_LOG_LEVEL), the project file (./megacontext.toml), the user's file
// ($XDG_CONFIG_HOME/megacontext/config.toml) or a default; in files its key is log_level.
// Every value is checked, also one that a stronger layer overrides. Relative paths in a file are
// taken from the file's folder. Value types. Errors: kUsage, naming the place (file:line, variable
// or flag), the key and what is allowed; kInvalidInput or kIo for a file that exists and cannot be
// read.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/files.h"
#include "core/result.h"

namespace mc {

struct Config {
    Path store;                          // folder of the store
    std::string bank;                    // bank inside it
    Path model;                          // GGUF file of the base model
    std::string device;                  // cpu, cuda
    std::string dtype;                   // auto, f32, bf16
    unsigned thread_count = 0;           // 0: one per core
    std::uint64_t budget_entries = 0;    // largest cost of a working context
    std::string policy;                  // which nodes to expand
    std::uint64_t ingest_bytes_max = 0;  // largest document
    std::uint64_t keep_versions = 0;     // of a document that is replaced
    std::string encoder;                 // gist encoder for new stores
    std::string codec;                   // how new stores write gists
    std::string codebook;                // of codec pq: auto, or a file
    std::string embedder;                // of sentences: auto, none, or a folder
    std::string lens;                    // of policy lensnet: auto, or a file
    // What opens an encrypted store, at most one of the three; empty: none was given.
    Path key_file;
    Path passphrase_file;
    std::string passphrase;
    std::string log_level;
};

enum class Setting : std::size_t {
    kStore,
    kBank,
    kModel,
    kDevice,
    kDtype,
    kThreads,
    kBudget,
    kPolicy,
    kIngestBytesMax,
    kKeepVersions,
    kEncoder,
    kCodec,
    kCodebook,
    kEmbedder,
    kLens,
    kKeyFile,
    kPassphraseFile,
    kPassphrase,
    kLogLevel,
    kCount,
};

inline constexpr auto kSettingCount = static_cast<std::size_t>(Setting::kCount);

// Names that settings choose from and that rooms above give a meaning: those rooms take them from
// here, in this order. Of a policy: the answering form's, then rules that score nodes.
inline constexpr std::array<std::string_view, 9> kPolicyNames = {
    "passages",      "lensnet", "recency", "random", "uniform",
    "keep-high-nll", "bm25",    "cosine",  "hybrid"};
inline constexpr std::size_t kAnsweringPolicyCount = 2;
// The choice by encoder, then codecs.
inline constexpr std::array<std::string_view, 5> kCodecNames = {"auto", "fp16", "int8", "int4",
                                                                "pq"};
// From everything to nothing.
inline constexpr std::array<std::string_view, 5> kLogLevelNames = {"debug", "info", "warning",
                                                                   "error", "off"};

struct SettingInfo {
    enum class Kind { kText, kPath, kChoice, kNumber };

    std::string_view key;  // as in files; flags have - for _, variables are upper case
    Kind kind = Kind::kText;
    std::string_view default_text;  // empty: computed by default_layer()
    std::string_view help;
    std::span<const std::string_view> choices = {};  // kChoice
    std::uint64_t minimum = 0;                       // kNumber
    std::uint64_t maximum = 0;                       // kNumber
    bool is_optional = false;                        // may be given by no layer
};

const SettingInfo& setting_info(Setting setting);
std::string flag_name(Setting setting);      // "--log-level"
std::string variable_name(Setting setting);  // "MEGACONTEXT_LOG_LEVEL"

// The settings that one source gives, as text, each with its place.
struct ConfigLayer {
    struct Value {
        std::string text;
        std::string place;  // "--budget", "MEGACONTEXT_BUDGET", "megacontext.toml:3", "default"
    };

    std::map<Setting, Value> values;
};

// Looks up one environment variable; none when unset. Tests hand in a table.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

ConfigLayer default_layer(const Environment& environment);

// The folder that the setting `embedder` names; nullopt for none, and for auto when scripts/setup
// did not unpack the default one.
std::optional<Path> embedder_folder(const Config& config, const Environment& environment);

// Empty variables count as unset.
ConfigLayer environment_layer(const Environment& environment);

// A file's content; `file` names it in errors and anchors relative paths.
Result<ConfigLayer> toml_layer(std::string_view content, const Path& file);

// Where the user's file is looked for; none without XDG_CONFIG_HOME and HOME.
std::optional<Path> user_config_file(const Environment& environment);

struct ResolvedConfig {
    Config config;
    std::array<std::string, kSettingCount> places;  // by Setting: where its value came from

    const std::string& place_of(Setting setting) const {
        return places.at(static_cast<std::size_t>(setting));
    }
};

// Of the settings that open a store, those of the strongest layer that has any count.
inline constexpr std::array kKeySettings{Setting::kKeyFile, Setting::kPassphraseFile,
                                         Setting::kPassphrase};

// Layers strongest first. A setting that no layer gives (store and model without HOME) is an error,
// but for optional ones; so are two of kKeySettings in one layer.
Result<ResolvedConfig> resolve(std::span<const ConfigLayer> layers);

// The program's order: flags, environment, project folder's file, user's file, defaults.
Result<ResolvedConfig> load_config(ConfigLayer flags, const Environment& environment,
                                   const Path& project_folder);

}  // namespace mc
