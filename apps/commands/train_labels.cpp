// SPDX-License-Identifier: Apache-2.0
// `megacontext train labels`: measures what passages gain the reader, for `train lensnet`.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/commands/train.h"
#include "apps/terminal/interrupt.h"
#include "eval/answers/program/label_run.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext train labels --docs a.txt b.txt --out labels\n"
    "  megacontext train lensnet --labels labels/labels.jsonl --out lensnet.safetensors\n"
    "A run that was killed goes on when the same command is given again.";

class TrainLabelsCommand final : public Command {
  public:
    CLI::App* define(CLI::App& train, ConfigLayer&) override {
        CLI::App* app = train.add_subcommand(
            "labels", "Measure what showing a passage gains the reader, for train lensnet");
        app->add_option("--docs", documents_, "text files that memories are filled with")
            ->type_name("FILE…")
            ->required();
        app->add_option("--out", output_, "folder of labels.jsonl and the stores")
            ->type_name("DIR")
            ->required();
        app->add_option("--families", options_.families, "kinds of questions")
            ->delimiter(',')
            ->capture_default_str();
        app->add_option("--lengths", options_.lengths, "tokens of a memory")
            ->delimiter(',')
            ->check(CLI::PositiveNumber)
            ->capture_default_str();
        app->add_option("--items", options_.items, "questions of each family")
            ->capture_default_str();
        app->add_option("--subsets", options_.subsets, "random subsets of passages a question")
            ->capture_default_str();
        app->add_option("--seed", options_.seed, "of questions, places and subsets")
            ->capture_default_str();
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    std::vector<std::string> documents_;
    std::string output_;
    eval::LabelOptions options_;
};

Result<int> TrainLabelsCommand::run(Invocation& invocation) {
    options_.documents.assign(documents_.begin(), documents_.end());
    options_.output = output_;
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin("labels");
    const auto progress = [&bar](const eval::LabelProgress& state) {
        bar.update(state.questions_done, static_cast<double>(state.questions_done) /
                                             static_cast<double>(state.questions_total));
    };
    MC_ASSIGN(const auto report, eval::make_labels(invocation.config, invocation.metrics, options_,
                                                   progress, &invocation.interrupted));
    bar.clear();
    Output& out = invocation.out;
    if (out.json()) {
        out.json({{"labels_path", report.labels.string()},
                  {"questions", report.questions},
                  {"readings", report.readings},
                  {"mean_reliability", report.mean_reliability}});
        return 0;
    }
    char reliability[32];
    std::snprintf(reliability, sizeof reliability, "%.3f", report.mean_reliability);
    out.text("learned  " + std::to_string(report.questions) + " questions, " +
             std::to_string(report.readings) + " readings, mean reliability " + reliability);
    out.text("labels   " + report.labels.string());
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_train_labels_command() {
    return std::make_unique<TrainLabelsCommand>();
}

}  // namespace mc::apps
