// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/train_codec.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "gistnet/base_model_gist_encoder.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext train codec --docs a.txt b.txt --encoder gistnet --out codebooks.safetensors\n"
    "  megacontext ingest book.txt --encoder gistnet --codec pq --codebook codebooks.safetensors\n"
    "A codebook fits the gists of the encoder that it was trained with, and no others.";

constexpr double kSharesPerCent = 100;

const char* label_of(runtime::TrainCodecStage stage) {
    if (stage == runtime::TrainCodecStage::kGists) return "making gists";
    return stage == runtime::TrainCodecStage::kWeights ? "weighing" : "fitting centroids";
}

std::string percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %%", share * kSharesPerCent);
    return text;
}

std::string decimal(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
}

}  // namespace

void TrainCodecCommand::define(CLI::App& train, ConfigLayer& flags) {
    app_ = train.add_subcommand("codec", "Train the codebook of codec pq for an encoder's gists");
    app_->add_option("--docs", documents_, "text files to train on")
        ->type_name("FILE…")
        ->required();
    app_->add_option("--out", output_, "the codebook to write")->type_name("FILE")->required();
    add_setting_flag(*app_, flags, Setting::kEncoder);
    app_->add_option("--gists", options_.gists, "gists to learn from")
        ->type_name("N")
        ->capture_default_str();
    app_->add_option("--windows", options_.windows,
                     "windows whose gradients say how much each number matters; 0: none")
        ->type_name("N")
        ->capture_default_str();
    app_->add_option("--bytes-per-token", options_.bytes_per_token,
                     "most bytes of keys and values per token (default: one bit per number, and 2)")
        ->check(CLI::PositiveNumber)
        ->type_name("X");
    app_->add_option("--seed", options_.seed, "of the texts drawn and of first centroids")
        ->capture_default_str();
    app_->footer(kFooter);
}

bool TrainCodecCommand::chosen() const {
    return app_ != nullptr && app_->parsed();
}

// What the codebook's metadata keep: names of files, not where they lie on one machine.
std::string TrainCodecCommand::command_line(const std::string& encoder) const {
    std::string line = "megacontext train codec --docs";
    for (const std::string& path : documents_) line += " " + Path(path).filename().string();
    line += " --encoder " + Path(encoder).filename().string() + " --gists " +
            std::to_string(options_.gists) + " --windows " + std::to_string(options_.windows);
    if (options_.bytes_per_token > 0)
        line += " --bytes-per-token " + decimal(options_.bytes_per_token);
    return line + " --seed " + std::to_string(options_.seed);
}

Result<int> TrainCodecCommand::run(Invocation& invocation) {
    options_.documents.assign(documents_.begin(), documents_.end());
    options_.output = output_;
    options_.command_line = command_line(invocation.config.encoder);
    MC_ASSIGN(const auto model, open_model(invocation.config));
    gistnet::GistEncoderOptions encoding;
    encoding.pooling = invocation.config.encoder;
    MC_ASSIGN(const auto encoder, gistnet::make_gist_encoder(*model, encoding));
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    std::optional<runtime::TrainCodecStage> shown;
    const auto progress = [&](const runtime::TrainCodecProgress& state) {
        if (shown != state.stage) {
            if (shown) bar.clear();
            bar.begin(label_of(state.stage));
            shown = state.stage;
        }
        bar.update(0, state.share);
    };
    MC_ASSIGN(const auto report,
              runtime::train_codec(*model, *encoder, options_, progress, &invocation.interrupted));
    bar.clear();
    Output& out = invocation.out;
    if (out.json()) {
        out.json({{"codebook_path", output_},
                  {"encoder", encoder->info().name},
                  {"gists", report.gists},
                  {"tokens_read", report.tokens_read},
                  {"gist_bytes", report.gist_bytes},
                  {"bytes_per_token", report.bytes_per_token},
                  {"error_share_keys", report.error_share_keys},
                  {"error_share_values", report.error_share_values},
                  {"weighed", report.weighed},
                  {"file_bytes", report.file_bytes}});
        return 0;
    }
    out.text("gists     " + format_count(report.gists) + " of " + encoder->info().name + ", " +
             format_count(report.tokens_read) + " tokens read");
    out.text("bytes     " + format_count(report.gist_bytes) + " a gist, " +
             decimal(report.bytes_per_token) + " a token");
    out.text("lost      " + percent(report.error_share_keys) + " of the keys' and " +
             percent(report.error_share_values) + " of the values' variance, on gists kept back" +
             (report.weighed ? ", weighed by gradients" : ""));
    out.text("codebook  " + printable(output_) + ", " + format_bytes(report.file_bytes));
    return 0;
}

}  // namespace mc::apps
