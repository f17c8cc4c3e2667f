// SPDX-License-Identifier: Apache-2.0
// `megacontext train index`: trains the projection for search of the base model in use.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/commands/train.h"
#include "apps/terminal/interrupt.h"
#include "gistnet/training/train_index.h"
#include "lm/base_model.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext train index --docs a.txt b.txt --eval-docs c.txt --out index.safetensors\n"
    "  megacontext train index --docs a.txt --out index.safetensors --minutes 10";

std::string three_digits(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", value);
    return text;
}

class TrainIndexCommand final : public Command {
  public:
    CLI::App* define(CLI::App& train, ConfigLayer&) override {
        CLI::App* app = train.add_subcommand("index", "Train the projection for search");
        app->add_option("--docs", documents_, "text files to train on")
            ->type_name("FILE…")
            ->required();
        app->add_option("--eval-docs", evaluation_, "other text files to measure on")
            ->type_name("FILE…");
        app->add_option("--out", output_, "file of weights to write")
            ->type_name("FILE")
            ->required();
        app->add_option("--windows", options_.windows,
                        "read windows of 512 tokens to learn from, at most")
            ->type_name("N")
            ->capture_default_str();
        CLI::Option* steps =
            app->add_option("--steps", options_.steps, "steps to train")->capture_default_str();
        app->add_option("--minutes", options_.minutes,
                        "read as many windows as fit in about so long")
            ->check(CLI::PositiveNumber)
            ->excludes(steps);
        app->add_option("--seed", options_.seed, "of windows, questions and initial weights")
            ->capture_default_str();
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    std::string command_line() const;
    void print(Output& out, const gistnet::IndexTrainReport& report) const;

    std::vector<std::string> documents_;
    std::vector<std::string> evaluation_;
    std::string output_;
    gistnet::IndexTrainOptions options_;
};

// What the weights' metadata keep: names of files, not where they lie on one machine.
std::string TrainIndexCommand::command_line() const {
    const auto names = [](const std::vector<std::string>& paths) {
        std::string out;
        for (const std::string& path : paths) out += " " + Path(path).filename().string();
        return out;
    };
    std::string line = "megacontext train index --docs" + names(documents_);
    if (!evaluation_.empty()) line += " --eval-docs" + names(evaluation_);
    return line + " --windows " + std::to_string(options_.windows) + " --steps " +
           std::to_string(options_.steps) + " --seed " + std::to_string(options_.seed);
}

void TrainIndexCommand::print(Output& out, const gistnet::IndexTrainReport& report) const {
    if (out.json()) {
        Json scores = Json::array();
        for (const gistnet::IndexScores& one : report.evaluation)
            scores.push_back({{"kind", one.kind},
                              {"searches", one.scores.searches},
                              {"recall@1", one.scores.recall_at_1},
                              {"recall@5", one.scores.recall_at_5},
                              {"recall@20", one.scores.recall_at_20},
                              {"mrr", one.scores.reciprocal_rank}});
        out.json({{"weights_path", report.weights_path.string()},
                  {"blocks", report.blocks},
                  {"questions", report.questions},
                  {"tokens_read", report.tokens_read},
                  {"steps", options_.steps},
                  {"loss", report.loss},
                  {"evaluation_blocks", report.evaluation_blocks},
                  {"evaluation", std::move(scores)}});
        return;
    }
    out.text("learned  from " + std::to_string(report.blocks) + " blocks and " +
             std::to_string(report.questions) + " questions, loss " + three_digits(report.loss));
    for (const gistnet::IndexScores& one : report.evaluation)
        out.text("found    " + one.kind + ": recall@1 " + three_digits(one.scores.recall_at_1) +
                 " @5 " + three_digits(one.scores.recall_at_5) + " @20 " +
                 three_digits(one.scores.recall_at_20) + ", MRR " +
                 three_digits(one.scores.reciprocal_rank) + " (" +
                 std::to_string(one.scores.searches) + " among " +
                 std::to_string(report.evaluation_blocks) + " blocks)");
    out.text("weights  " + report.weights_path.string());
}

Result<int> TrainIndexCommand::run(Invocation& invocation) {
    options_.documents.assign(documents_.begin(), documents_.end());
    options_.evaluation_documents.assign(evaluation_.begin(), evaluation_.end());
    options_.output = output_;
    options_.command_line = command_line();
    MC_ASSIGN(const auto model, open_model(invocation.config));
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    std::string_view stage;
    const auto progress = [&](const gistnet::IndexTrainProgress& state) {
        if (state.stage != stage) {
            stage = state.stage;
            bar.begin(std::string(stage));
        }
        bar.update(state.tokens,
                   static_cast<double>(state.done) / static_cast<double>(state.total));
    };
    MC_ASSIGN(const auto report, gistnet::train_index(*model, options_, invocation.clock, progress,
                                                      &invocation.interrupted));
    bar.clear();
    print(invocation.out, report);
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_train_index_command() {
    return std::make_unique<TrainIndexCommand>();
}

}  // namespace mc::apps
