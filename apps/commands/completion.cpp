// SPDX-License-Identifier: Apache-2.0
// `megacontext completion bash`: a completion script made from the very options that are parsed.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "apps/commands/command.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  source <(megacontext completion bash)\n"
    "  megacontext completion bash > /etc/bash_completion.d/megacontext";

// "/bank/list" with everything that may follow it.
struct Place {
    std::string path;
    std::vector<std::string> words;
};

void add_options(const CLI::App& app, std::vector<std::string>& words) {
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
        for (const std::string& name : option->get_snames()) words.push_back("-" + name);
    }
}

void add_places(const CLI::App& app, const std::string& path,
                const std::vector<std::string>& inherited, std::vector<Place>& places) {
    std::vector<std::string> options = inherited;
    add_options(app, options);
    std::sort(options.begin(), options.end());
    options.erase(std::unique(options.begin(), options.end()), options.end());
    Place place{path, {}};
    const auto parts = app.get_subcommands([](const CLI::App*) { return true; });
    for (const CLI::App* part : parts) place.words.push_back(part->get_name());
    place.words.insert(place.words.end(), options.begin(), options.end());
    places.push_back(std::move(place));
    for (const CLI::App* part : parts)
        add_places(*part, path + "/" + part->get_name(), options, places);
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
    std::string text;
    for (const std::string& word : words)
        text.append(text.empty() ? std::string_view() : separator).append(word);
    return text;
}

std::string value_cases() {
    std::string cases;
    for (std::size_t i = 0; i < kSettingCount; ++i) {
        const auto setting = static_cast<Setting>(i);
        const SettingInfo& info = setting_info(setting);
        if (info.choices.size() == 0) continue;
        const std::vector<std::string> choices(info.choices.begin(), info.choices.end());
        cases += "        " + flag_name(setting) + ") COMPREPLY=($(compgen -W \"" +
                 joined(choices, " ") + "\" -- \"$word\")); return ;;\n";
    }
    return cases + "        " + flag_name(Setting::kStore) +
           "|--output) COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n"
           "        " +
           flag_name(Setting::kModel) + "|--config|--docs) return ;;\n";
}

std::string bash_script(const CLI::App& program) {
    std::vector<Place> places;
    add_places(program, "", {}, places);
    std::vector<std::string> paths;
    std::string cases;
    for (const Place& place : places) {
        if (!place.path.empty()) paths.push_back(place.path);
        cases += "        \"" + place.path + "\") words=\"" + joined(place.words, " ") + "\" ;;\n";
    }
    return "# bash completion for megacontext, made by: megacontext completion bash\n"
           "_megacontext() {\n"
           "    local word=\"${COMP_WORDS[COMP_CWORD]}\" path=\"\" words=\"\" i\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        case \"$path/${COMP_WORDS[i]}\" in\n"
           "        " +
           joined(paths, "|") +
           ") path=\"$path/${COMP_WORDS[i]}\" ;;\n"
           "        esac\n"
           "    done\n"
           "    case \"${COMP_WORDS[COMP_CWORD-1]}\" in\n" +
           value_cases() +
           "    esac\n"
           "    case \"$path\" in\n" +
           cases +
           "    esac\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
           "}\n"
           "complete -o default -F _megacontext megacontext\n";
}

class CompletionCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app = program.add_subcommand("completion", "Print a shell completion script");
        app->add_option("SHELL", shell_, "bash")->required()->check(CLI::IsMember({"bash"}));
        app->footer(kFooter);
        return app;
    }

    bool opens_store() const override { return false; }

    Result<int> run(Invocation& invocation) override {
        invocation.out.raw(bash_script(invocation.program));
        return 0;
    }

  private:
    std::string shell_;
};

}  // namespace

std::unique_ptr<Command> make_completion_command() {
    return std::make_unique<CompletionCommand>();
}

}  // namespace mc::apps
