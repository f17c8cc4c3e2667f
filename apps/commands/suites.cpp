// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/suites.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace mc::apps {

std::vector<std::unique_ptr<Command>> make_suites() {
    std::vector<std::unique_ptr<Command>> suites;
    suites.push_back(make_answers_suite());
    suites.push_back(make_chat_suite());
    suites.push_back(make_delta_nll_suite());
    suites.push_back(make_gist_probes_suite());
    suites.push_back(make_macro_suite());
    suites.push_back(make_retrieval_suite());
    suites.push_back(make_stream_suite());
    return suites;
}

CLI::App* SuiteInputs::define(CLI::App& run, const std::string& suite,
                              const std::string& description, bool with_documents) {
    suite_ = suite;
    output_ = suite + "-results";
    CLI::App* app = run.add_subcommand(suite, description);
    if (with_documents)
        app->add_option("--docs", documents_, "text files to measure on")
            ->type_name("FILE…")
            ->required();
    app->add_option("--output", output_,
                    "folder of results.json, table.md and what they are made from")
        ->type_name("DIR")
        ->capture_default_str();
    app->add_option("--seed", seed_, "of windows, questions, shuffles and intervals")
        ->capture_default_str();
    return app;
}

std::string SuiteInputs::command_line(const std::string& own_options) const {
    return "megacontext eval run " + suite_ + flag_words("--docs", documents_) + own_options +
           " --seed " + std::to_string(seed_);
}

std::string shell_word(const std::string& word) {
    const auto is_plain = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '.' ||
               c == '_' || c == '-' || c == ',' || c == ':' || c == '=';
    };
    if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return word;
    std::string quoted = "'";
    for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string flag_words(const std::string& flag, const std::vector<std::string>& words) {
    if (words.empty()) return "";
    std::string line = " " + flag;
    for (const std::string& word : words) line += " " + shell_word(word);
    return line;
}

std::string comma_list(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : ",") + shell_word(word);
    return line;
}

void print_suite(Output& out, const std::string& suite, const eval::SuiteReport& report) {
    const std::string source = report.source_path.stem().string();
    if (out.json()) {
        Json plots = Json::array();
        for (const auto& path : report.plot_paths) plots.push_back(path.string());
        out.json({{"suite", suite},
                  {"results_path", report.results_path.string()},
                  {"table_path", report.table_path.string()},
                  {source + "_path", report.source_path.string()},
                  {"plot_paths", std::move(plots)},
                  {"results", Json::parse(report.results_json, nullptr, false)}});
        return;
    }
    out.raw(report.table);
    out.text("");
    out.text("results  " + report.results_path.string());
    out.text(source + std::string(9 - source.size(), ' ') + report.source_path.string());
}

}  // namespace mc::apps
