// SPDX-License-Identifier: Apache-2.0
// `megacontext train lensnet`: trains LensNet on what `train labels` measured.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/commands/rank_flags.h"
#include "apps/commands/train.h"
#include "apps/terminal/interrupt.h"
#include "lensnet/signals.h"
#include "lensnet/training/train_lens.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext train labels --docs a.txt b.txt --out labels\n"
    "  megacontext train lensnet --labels labels/labels.jsonl --out lensnet.safetensors\n"
    "  megacontext query --policy lensnet --lens lensnet.safetensors \"Where is the lamp?\"";

class TrainLensnetCommand final : public Command {
  public:
    CLI::App* define(CLI::App& train, ConfigLayer&) override {
        CLI::App* app = train.add_subcommand(
            "lensnet", "Train the net that says which passages gain the reader something");
        app->add_option("--labels", labels_, "files that train labels made")
            ->type_name("FILE…")
            ->required();
        app->add_option("--out", output_, "file of weights to write")
            ->type_name("FILE")
            ->required();
        app->add_option("--hidden", options_.hidden, "width of the net's hidden layer")
            ->check(CLI::Range(1, 4096))
            ->capture_default_str();
        app->add_option("--steps", options_.steps, "steps of each fit")
            ->check(CLI::PositiveNumber)
            ->capture_default_str();
        app->add_option("--without", without_, "signals to leave out")
            ->delimiter(',')
            ->type_name("SIGNAL");
        app->add_option("--seed", options_.seed, "of initial weights")->capture_default_str();
        ranks_.add(*app);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    Result<void> read_signals();
    std::string command_line() const;

    std::vector<std::string> labels_;
    std::vector<std::string> without_;
    std::string output_;
    lensnet::LensTrainOptions options_;
    RankFlags ranks_;
};

Result<void> TrainLensnetCommand::read_signals() {
    options_.without.clear();
    for (const std::string& name : without_) {
        const auto found = std::ranges::find(lensnet::kSignalNames, name);
        if (found == lensnet::kSignalNames.end()) {
            std::string known;
            for (const std::string_view one : lensnet::kSignalNames)
                known += (known.empty() ? "" : ", ") + std::string(one);
            return fail(ErrorCode::kUsage,
                        "--without: no signal '" + name + "'; there are " + known);
        }
        options_.without.push_back(
            static_cast<lensnet::Signal>(found - lensnet::kSignalNames.begin()));
    }
    return {};
}

// What the weights' metadata keep: names of files, not where they lie on one machine.
std::string TrainLensnetCommand::command_line() const {
    std::string line = "megacontext train lensnet --labels";
    for (const std::string& path : labels_) line += " " + Path(path).filename().string();
    line += " --hidden " + std::to_string(options_.hidden) + " --steps " +
            std::to_string(options_.steps);
    for (const std::string& name : without_) line += " --without " + name;
    return line + " --seed " + std::to_string(options_.seed);
}

Json json_of(const lensnet::LensScores& scores) {
    Json bins = Json::array();
    for (const lensnet::CalibrationBin& bin : scores.calibration)
        bins.push_back({{"predicted", bin.predicted},
                        {"measured", bin.measured},
                        {"candidates", bin.candidates}});
    return {{"questions", scores.questions},
            {"chosen_gain", scores.chosen_gain},
            {"random_gain", scores.random_gain},
            {"best_gain", scores.best_gain},
            {"captured_share", scores.captured_share},
            {"fact_first", scores.fact_first},
            {"rule_fact_first", scores.rule_fact_first},
            {"absent_refused", scores.absent_refused},
            {"known_gain_min", scores.known_gain_min},
            {"calibration_error", scores.calibration_error},
            {"calibration", std::move(bins)}};
}

std::string line_of(const char* name, const lensnet::LensScores& scores) {
    char text[192];
    std::snprintf(text, sizeof text,
                  "%-11s captured %6.3f  gain %6.3f (random %.3f, best %.3f)  fact first %.3f  "
                  "absent refused %.3f  calibration error %.3f",
                  name, scores.captured_share, scores.chosen_gain, scores.random_gain,
                  scores.best_gain, scores.fact_first, scores.absent_refused,
                  scores.calibration_error);
    return text;
}

Result<int> TrainLensnetCommand::run(Invocation& invocation) {
    MC_TRY(read_signals());
    options_.labels.assign(labels_.begin(), labels_.end());
    options_.output = output_;
    options_.command_line = command_line();
    const InterruptWatch watch;
    MC_ASSIGN(const auto group, ranks_.join());
    options_.group = group.get();
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin("training");
    const auto progress = [&bar](std::size_t done, std::size_t total) {
        bar.update(done, static_cast<double>(done) / static_cast<double>(total));
    };
    MC_ASSIGN(const auto report, lensnet::train_lens(options_, progress, &invocation.interrupted));
    bar.clear();
    if (group->rank() != 0) return 0;
    Output& out = invocation.out;
    if (out.json()) {
        out.json({{"weights_path", report.weights_path.string()},
                  {"questions", report.questions},
                  {"reliable", report.reliable},
                  {"rule", json_of(report.rule)},
                  {"regression", json_of(report.regression)},
                  {"net", json_of(report.net)},
                  {"chosen", report.net_is_better ? "net" : "regression"}});
        return 0;
    }
    out.text("learned  from " + std::to_string(report.questions) + " questions, of which " +
             std::to_string(report.reliable) + " have an answer and labels that can be relied on");
    out.text(line_of("first found", report.rule));
    out.text(line_of("regression", report.regression));
    out.text(line_of("net", report.net));
    out.text("weights  " + report.weights_path.string() + " (" +
             (report.net_is_better ? "net" : "regression") + ")");
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_train_lensnet_command() {
    return std::make_unique<TrainLensnetCommand>();
}

}  // namespace mc::apps
