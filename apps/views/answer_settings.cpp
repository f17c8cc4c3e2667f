// SPDX-License-Identifier: Apache-2.0
#include "apps/views/answer_settings.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "apps/terminal/text.h"

namespace mc::apps {
namespace {

using runtime::AnswerOptions;

// The default model's context length.
constexpr std::uint64_t kAnswerTokensMax = 8192;
constexpr std::uint64_t kTopKMax = 1'000'000;  // beyond any vocabulary

struct AnswerSetting {
    const char* name;
    const char* value_name;
    const char* help;
    Result<void> (*set)(AnswerOptions&, std::string_view);
    Json (*get)(const AnswerOptions&);
};

Result<void> set_number(float& target, std::string_view text) {
    float value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return fail(ErrorCode::kUsage, "\"" + printable(text) + "\" is not a number");
    target = value;
    return {};
}

template <class Integer>
Result<void> set_count(Integer& target, std::string_view text, std::uint64_t minimum,
                       std::uint64_t maximum) {
    MC_ASSIGN(const std::uint64_t value, parse_count(text));
    if (value < minimum || value > maximum)
        return fail(ErrorCode::kUsage, std::to_string(value) + " is not from " +
                                           std::to_string(minimum) + " to " +
                                           std::to_string(maximum));
    target = static_cast<Integer>(value);
    return {};
}

// As people wrote it: 0.9 and not 0.8999999761581421.
Json decimal(float value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    double number = 0;
    std::from_chars(text.data(), end, number);
    return number;
}

const std::array kSettings{
    AnswerSetting{"max-tokens", "N", "longest answer",
                  [](AnswerOptions& o, std::string_view text) {
                      return set_count(o.tokens_max, text, 1, kAnswerTokensMax);
                  },
                  [](const AnswerOptions& o) { return Json(o.tokens_max); }},
    AnswerSetting{"sentences", "N", "longest answer in sentences; 0: as many as the model writes",
                  [](AnswerOptions& o, std::string_view text) {
                      return set_count(o.sentences_max, text, 0, kAnswerTokensMax);
                  },
                  [](const AnswerOptions& o) { return Json(o.sentences_max); }},
    AnswerSetting{"temperature", "X",
                  "0: always the likeliest token; else logits are divided by it",
                  [](AnswerOptions& o, std::string_view text) {
                      return set_number(o.sampling.temperature, text);
                  },
                  [](const AnswerOptions& o) { return decimal(o.sampling.temperature); }},
    AnswerSetting{"top-k", "N", "draw among the N likeliest tokens; 0: all",
                  [](AnswerOptions& o, std::string_view text) {
                      return set_count(o.sampling.top_k, text, 0, kTopKMax);
                  },
                  [](const AnswerOptions& o) { return Json(o.sampling.top_k); }},
    AnswerSetting{
        "top-p", "X", "draw among the likeliest that hold this share of probability",
        [](AnswerOptions& o, std::string_view text) { return set_number(o.sampling.top_p, text); },
        [](const AnswerOptions& o) { return decimal(o.sampling.top_p); }},
    AnswerSetting{
        "min-p", "X", "drop tokens below this share of the likeliest one's probability",
        [](AnswerOptions& o, std::string_view text) { return set_number(o.sampling.min_p, text); },
        [](const AnswerOptions& o) { return decimal(o.sampling.min_p); }},
    AnswerSetting{"repetition-penalty", "X", "against tokens already written; 1: none",
                  [](AnswerOptions& o, std::string_view text) {
                      return set_number(o.sampling.repetition_penalty, text);
                  },
                  [](const AnswerOptions& o) { return decimal(o.sampling.repetition_penalty); }},
    AnswerSetting{"seed", "N", "of drawing tokens and of policy random",
                  [](AnswerOptions& o, std::string_view text) {
                      return set_count(o.seed, text, 0, std::numeric_limits<std::uint64_t>::max());
                  },
                  [](const AnswerOptions& o) { return Json(o.seed); }},
    AnswerSetting{"stop", "TEXT", "end the answer before this text (repeatable)",
                  [](AnswerOptions& o, std::string_view text) -> Result<void> {
                      if (text.empty())
                          o.stop_strings.clear();
                      else
                          o.stop_strings.emplace_back(text);
                      return {};
                  },
                  [](const AnswerOptions& o) { return Json(o.stop_strings); }},
};

std::string default_text(const AnswerSetting& setting, const AnswerOptions& defaults) {
    const Json value = setting.get(defaults);
    return value.is_array() ? std::string() : " [" + value.dump() + "]";
}

}  // namespace

void add_answer_flags(CLI::App& app, AnswerOptions& options) {
    for (const AnswerSetting& setting : kSettings) {
        const std::string flag = std::string("--") + setting.name;
        const auto store = [&options, &setting, flag](const std::vector<std::string>& values) {
            for (const std::string& value : values) {
                const auto done = value.empty() ? Result<void>(fail(ErrorCode::kUsage, "empty"))
                                                : set_answer_setting(options, setting.name, value);
                if (!done) throw CLI::ValidationError(flag, done.error().to_string());
            }
        };
        app.add_option_function<std::vector<std::string>>(
               flag, store, setting.help + default_text(setting, options))
            ->type_name(setting.value_name)
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
}

Result<void> set_answer_setting(AnswerOptions& options, std::string_view name,
                                std::string_view value) {
    const auto setting = std::ranges::find(kSettings, name, &AnswerSetting::name);
    if (setting == kSettings.end()) {
        std::string names;
        for (const AnswerSetting& known : kSettings)
            names += (names.empty() ? "" : ", ") + std::string(known.name);
        return fail(ErrorCode::kUsage, "no setting " + printable(name) + "; there are " + names);
    }
    AnswerOptions changed = options;
    MC_TRY_CONTEXT(setting->set(changed, value), setting->name);
    MC_TRY(lm::check_sampling(changed.sampling));
    options = std::move(changed);
    return {};
}

Json answer_settings_json(const AnswerOptions& options) {
    Json json = Json::object();
    for (const AnswerSetting& setting : kSettings) json[setting.name] = setting.get(options);
    return json;
}

}  // namespace mc::apps
