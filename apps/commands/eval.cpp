// SPDX-License-Identifier: Apache-2.0
// `megacontext eval run SUITE`: measurements with controls, resumable, results on disk.
#include <CLI/CLI.hpp>

#include "apps/commands/eval.h"
#include "apps/commands/eval_gist_probes.h"
#include "apps/commands/suite_output.h"
#include "apps/terminal/interrupt.h"
#include "eval/base_model/base_model_scorer.h"
#include "eval/delta_nll/delta_nll.h"
#include "lm/base_model.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext eval run delta-nll --docs book.txt paper.txt --output results\n"
    "  megacontext eval run retrieval --docs book.txt paper.txt --queries 200\n"
    "  megacontext eval run gist-probes --docs book.txt --encoders kv-last,gistnet\n"
    "A run of delta-nll or retrieval that was killed goes on where it stopped when the same "
    "command "
    "is given\nagain.";

std::string comma_list(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : ",") + shell_word(word);
    return line;
}

class EvalCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app = program.add_subcommand(
            "eval", "Measure what gists keep and what search finds, against controls");
        app->require_subcommand(1);
        CLI::App* run = app->add_subcommand("run", "Run a suite");
        run->add_option("SUITE", suite_, "delta-nll, gist-probes or retrieval")
            ->required()
            ->check(CLI::IsMember({"delta-nll", "gist-probes", "retrieval"}));
        run->add_option("--docs", documents_, "text files to measure on")
            ->type_name("FILE…")
            ->required();
        run->add_option("--output", output_,
                        "folder of results.json, table.md and what they are made from")
            ->type_name("DIR")
            ->default_str("SUITE-results");
        run->add_option("--seed", options_.seed, "of windows, questions, shuffles and intervals")
            ->capture_default_str();
        retrieval_options_ = retrieval_.define(*run);
        define_delta_nll(*run);
        for (CLI::App* part : {app, run}) part->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    void define_delta_nll(CLI::App& run);
    Result<void> check_options() const;
    Result<int> run_delta_nll(Invocation& invocation);
    Result<int> run_gist_probes(Invocation& invocation);
    std::string command_line() const;

    std::string suite_;
    std::vector<std::string> documents_;
    std::vector<std::string> train_documents_;
    std::string output_;
    eval::DeltaNllOptions options_;
    RetrievalSuite retrieval_;
    std::vector<CLI::Option*> delta_nll_options_;
    std::vector<CLI::Option*> retrieval_options_;
};

void EvalCommand::define_delta_nll(CLI::App& run) {
    const auto add = [&](const char* flag, auto& value, const char* help) {
        delta_nll_options_.push_back(run.add_option(flag, value, help));
        return delta_nll_options_.back();
    };
    add("--windows", options_.windows_per_document, "windows of each document")
        ->check(CLI::Range(1U, eval::kWindowsPerDocumentMax).description(""))
        ->type_name("N")
        ->capture_default_str();
    add("--context", options_.context_tokens, "tokens that become gists")->capture_default_str();
    add("--horizon", options_.horizon_tokens, "tokens that are scored")->capture_default_str();
    add("--encoders", options_.encoders, "gist encoders to measure; name=encoder names one")
        ->delimiter(',')
        ->capture_default_str();
    add("--codecs", options_.codecs, "codecs to measure on every encoder")
        ->delimiter(',')
        ->capture_default_str();
    add("--levels", options_.levels, "2: also gists of level 2; 3: gists of level 3 and below")
        ->check(CLI::Range(1U, 3U).description(""))
        ->type_name("N")
        ->capture_default_str();
    add("--oracle", options_.oracle_windows,
        "windows of each document whose gists are optimised, as a ceiling")
        ->type_name("N")
        ->capture_default_str();
    add("--train-docs", train_documents_,
        "what the encoders were trained on; measuring on it is refused")
        ->type_name("FILE…");
}

// The same for every way of giving the same options, so that a resumed run records the same line.
std::string EvalCommand::command_line() const {
    std::string line = "megacontext eval run " + suite_ + " --docs";
    for (const std::string& document : documents_) line += " " + shell_word(document);
    line += " --windows " + std::to_string(options_.windows_per_document) + " --context " +
            std::to_string(options_.context_tokens) + " --horizon " +
            std::to_string(options_.horizon_tokens) + " --encoders " +
            comma_list(options_.encoders) + " --codecs " + comma_list(options_.codecs) +
            " --levels " + std::to_string(options_.levels) + " --oracle " +
            std::to_string(options_.oracle_windows);
    if (!train_documents_.empty()) line += " --train-docs";
    for (const std::string& document : train_documents_) line += " " + shell_word(document);
    return line + " --seed " + std::to_string(options_.seed);
}

// An option of another suite would be passed over in silence.
Result<void> EvalCommand::check_options() const {
    const auto is_own = [&](const CLI::Option* option) {
        if (suite_ == "retrieval") return std::ranges::count(retrieval_options_, option) > 0;
        if (std::ranges::count(delta_nll_options_, option) == 0) return false;
        return suite_ == "delta-nll" || option->get_name() == "--windows" ||
               option->get_name() == "--encoders";
    };
    for (const auto* options : {&delta_nll_options_, &retrieval_options_})
        for (const CLI::Option* option : *options)
            if (option->count() > 0 && !is_own(option))
                return fail(ErrorCode::kUsage,
                            option->get_name() + " is not an option of the suite " + suite_);
    return {};
}

Result<int> EvalCommand::run(Invocation& invocation) {
    MC_TRY(check_options());
    if (output_.empty()) output_ = suite_ + "-results";
    if (suite_ == "retrieval")
        return retrieval_.run(invocation, documents_, output_, options_.seed);
    return suite_ == "gist-probes" ? run_gist_probes(invocation) : run_delta_nll(invocation);
}

Result<int> EvalCommand::run_gist_probes(Invocation& invocation) {
    eval::GistProbeOptions options;
    options.documents.assign(documents_.begin(), documents_.end());
    options.output = output_;
    options.windows_per_document = options_.windows_per_document;
    options.seed = options_.seed;
    options.encoders = options_.encoders;
    options.command_line = "megacontext eval run " + suite_ + " --docs";
    for (const std::string& document : documents_)
        options.command_line += " " + shell_word(document);
    options.command_line += " --windows " + std::to_string(options.windows_per_document) +
                            " --encoders " + comma_list(options.encoders) + " --seed " +
                            std::to_string(options.seed);
    return eval_gist_probes(invocation, options);
}

Result<int> EvalCommand::run_delta_nll(Invocation& invocation) {
    options_.documents.assign(documents_.begin(), documents_.end());
    options_.train_documents.assign(train_documents_.begin(), train_documents_.end());
    options_.output = output_;
    options_.command_line = command_line();
    MC_ASSIGN(const auto model, open_model(invocation.config));
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin("delta-nll");
    const std::uint64_t window_tokens = options_.context_tokens + options_.horizon_tokens;
    const auto progress = [&bar, window_tokens](const eval::SuiteProgress& state) {
        const auto total = static_cast<double>(state.windows_total);
        bar.update(state.windows_done * window_tokens,
                   total > 0 ? static_cast<double>(state.windows_done) / total : 1.0);
    };
    MC_ASSIGN(const auto scorer, eval::BaseModelScorer::make(*model, options_.encoders));
    MC_ASSIGN(const auto report,
              eval::run_delta_nll(*scorer, options_, progress, &invocation.interrupted));
    bar.clear();
    print_suite(invocation.out, suite_, report);
    return 0;
}

}  // namespace

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

std::unique_ptr<Command> make_eval_command() {
    return std::make_unique<EvalCommand>();
}

}  // namespace mc::apps
