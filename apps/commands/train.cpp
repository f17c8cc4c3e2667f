// SPDX-License-Identifier: Apache-2.0
// `megacontext train`: trains models for the base model in use; here the compressor.
#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/commands/rank_flags.h"
#include "apps/commands/train.h"
#include "apps/commands/train_codec.h"
#include "apps/terminal/interrupt.h"
#include "eval/report/curve_plot.h"
#include "gistnet/training/train_gistnet.h"
#include "lm/base_model.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext train gistnet --docs a.txt b.txt --eval-docs c.txt --out gistnet --minutes 30\n"
    "  megacontext train gistnet --level 2 --level1 gistnet/gistnet.safetensors --docs a.txt "
    "b.txt\n"
    "      --out gistnet-2\n"
    "A run that was killed goes on from its last checkpoint when the same command is given again.";

class TrainCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app = program.add_subcommand("train", "Train models for the base model in use");
        app->require_subcommand(1);
        CLI::App* gistnet = app->add_subcommand("gistnet", "Train the compressor");
        gistnet->add_option("--docs", documents_, "text files to train on")
            ->type_name("FILE…")
            ->required();
        gistnet->add_option("--eval-docs", evaluation_, "other text files to measure on")
            ->type_name("FILE…");
        gistnet->add_option("--out", output_, "folder of weights, log and checkpoint")
            ->type_name("DIR")
            ->required();
        gistnet->add_option("--level", options_.level, "1, or 2 for all levels above")
            ->check(CLI::IsMember({1, 2}))
            ->capture_default_str();
        gistnet->add_option("--level1", level1_, "weights of level 1, to train level 2")
            ->type_name("FILE");
        gistnet->add_option("--from", from_, "weights to go on training (default: start anew)")
            ->type_name("FILE");
        gistnet->add_option("--matching-steps", options_.matching_steps,
                            "steps that match attention, before distillation (default: a tenth, "
                            "at most 80; none with --from)");
        CLI::Option* steps = gistnet->add_option("--steps", options_.steps, "steps to train");
        gistnet->add_option("--minutes", options_.minutes, "train for about so long")
            ->check(CLI::PositiveNumber)
            ->excludes(steps)
            ->capture_default_str();
        gistnet->add_option("--seed", options_.seed, "of initial weights and of the texts drawn")
            ->capture_default_str();
        gistnet->add_option("--blocks", options_.context_blocks,
                            "blocks of the longest training texts (default: 32; 64 at level 2)");
        gistnet->add_option("--queries", options_.pooling_queries, "pooling queries of a head")
            ->capture_default_str();
        gistnet
            ->add_option("--chunks", options_.chunks_per_step, "longest training texts of a step")
            ->capture_default_str();
        gistnet->add_option("--cases", options_.cases_per_step, "cases of a step")
            ->capture_default_str();
        gistnet->add_option("--eval-every", options_.evaluate_every, "steps between evaluations")
            ->check(CLI::PositiveNumber)
            ->capture_default_str();
        ranks_.add(*gistnet);
        for (CLI::App* part : {app, gistnet}) part->footer(kFooter);
        codec_.define(*app, flags);
        for (Part& part : parts_) part.app = part.command->define(*app, flags);
        return app;
    }

    bool opens_store() const override { return false; }

    Result<int> run(Invocation& invocation) override;

  private:
    std::string command_line() const;

    std::vector<std::string> documents_;
    std::vector<std::string> evaluation_;
    std::string output_;
    std::string level1_;
    std::string from_;
    gistnet::TrainOptions options_;
    RankFlags ranks_;
    TrainCodecCommand codec_;

    // A part with a file of its own, and its subcommand.
    struct Part {
        std::unique_ptr<Command> command;
        CLI::App* app = nullptr;
    };

    std::array<Part, 3> parts_ = {{{make_train_index_command()},
                                   {make_train_labels_command()},
                                   {make_train_lensnet_command()}}};
};

// What the weights' metadata keep: names of files, not where they lie on one machine.
std::string TrainCommand::command_line() const {
    const auto names = [](const std::vector<std::string>& paths) {
        std::string out;
        for (const std::string& path : paths) out += " " + Path(path).filename().string();
        return out;
    };
    std::string line = "megacontext train gistnet --docs" + names(documents_);
    if (!evaluation_.empty()) line += " --eval-docs" + names(evaluation_);
    line += " --level " + std::to_string(options_.level);
    if (!level1_.empty()) line += " --level1 " + Path(level1_).filename().string();
    if (!from_.empty()) line += " --from " + Path(from_).filename().string();
    if (options_.matching_steps)
        line += " --matching-steps " + std::to_string(*options_.matching_steps);
    if (options_.context_blocks > 0) line += " --blocks " + std::to_string(options_.context_blocks);
    if (options_.steps > 0) line += " --steps " + std::to_string(options_.steps);
    return line + " --seed " + std::to_string(options_.seed) + " --queries " +
           std::to_string(options_.pooling_queries) + " --chunks " +
           std::to_string(options_.chunks_per_step) + " --cases " +
           std::to_string(options_.cases_per_step);
}

// Rs over reader positions, by document and shape.
Result<void> write_curve(const Path& path, const std::vector<gistnet::EvaluationPoint>& points) {
    std::vector<eval::Curve> curves;
    for (const gistnet::EvaluationPoint& point : points)
        for (std::size_t i = 0; i < point.scores.size(); ++i) {
            const gistnet::EvaluationScore& score = point.scores[i];
            if (curves.size() == i)
                curves.push_back(
                    {std::to_string(score.context_blocks) + " blocks, " + score.document,
                     {},
                     false});
            curves[i].points.push_back(
                {static_cast<double>(point.positions), score.recovery_over_shuffled});
        }
    const std::string svg = eval::draw_curves(
        curves, {"reader positions forward and backward (logarithmic)", "Rs", true});
    return replace_file(path, std::as_bytes(std::span(svg)));
}

Result<int> TrainCommand::run(Invocation& invocation) {
    if (codec_.chosen()) return codec_.run(invocation);
    for (const Part& part : parts_)
        if (part.app->parsed()) return part.command->run(invocation);
    options_.documents.assign(documents_.begin(), documents_.end());
    options_.evaluation_documents.assign(evaluation_.begin(), evaluation_.end());
    options_.output = output_;
    options_.level1_weights = level1_;
    options_.start_weights = from_;
    options_.command_line = command_line();
    MC_ASSIGN(const auto model, open_model(invocation.config));
    const InterruptWatch watch;
    MC_ASSIGN(const auto group, ranks_.join());
    options_.group = group.get();
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin("training");
    Output& out = invocation.out;
    const auto progress = [&](const gistnet::TrainProgress& state) {
        if (!state.evaluation.empty()) {
            bar.clear();
            if (!out.json()) out.text(state.evaluation);
        }
        std::optional<double> share;
        if (state.total_steps > 0)
            share = static_cast<double>(state.step) / static_cast<double>(state.total_steps);
        bar.update(state.positions, share);
    };
    MC_ASSIGN(const auto report, gistnet::train_gistnet(*model, options_, invocation.clock,
                                                        progress, &invocation.interrupted));
    bar.clear();
    if (group->rank() != 0) return 0;
    if (!report.curve.empty()) MC_TRY(write_curve(options_.output / "curve.svg", report.curve));
    if (out.json()) {
        Json scores = Json::array();
        const auto last = report.curve.empty() ? std::vector<gistnet::EvaluationScore>()
                                               : report.curve.back().scores;
        for (const gistnet::EvaluationScore& score : last)
            scores.push_back({{"document", score.document},
                              {"context_blocks", score.context_blocks},
                              {"horizon", score.horizon_tokens},
                              {"R", score.recovery},
                              {"Rs", score.recovery_over_shuffled}});
        out.json({{"weights_path", report.weights_path.string()},
                  {"steps", report.steps},
                  {"positions_per_second", report.positions_per_second},
                  {"evaluation", std::move(scores)}});
        return 0;
    }
    char rate[64];
    std::snprintf(rate, sizeof rate, "%.0f", report.positions_per_second);
    out.text("steps    " + std::to_string(report.steps) + ", " + rate +
             " positions/s forward and backward");
    out.text("weights  " + report.weights_path.string());
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_train_command() {
    return std::make_unique<TrainCommand>();
}

}  // namespace mc::apps
