// SPDX-License-Identifier: Apache-2.0
// `megacontext stream`: how likely a text of any length is, read behind a window of bounded size.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/commands/options.h"
#include "apps/commands/text_input.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "core/span_math.h"
#include "gistnet/base_model_gist_encoder.h"
#include "lm/base_model.h"
#include "runtime/stream/stream_reader.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Old text stands in the window as gists, the newest raw; what a token costs does not grow.\n"
    "Examples:\n"
    "  megacontext stream book.txt\n"
    "  zcat book.txt.gz | megacontext stream - --budget 512 --json\n"
    "With --json: one line a token, then one line with the sums.";

class StreamCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app = program.add_subcommand(
            "stream", "Reads a text of any length behind a window: the likelihood of each token");
        app->add_option("FILE", file_, "the text; - is standard input")->required();
        app->add_flag("--recent", is_recent_,
                      "a sliding window of the newest tokens alone, to compare with");
        add_setting_flag(*app, flags, Setting::kBudget);
        add_setting_flag(*app, flags, Setting::kEncoder);
        app->footer(kFooter);
        return app;
    }

    bool opens_store() const override { return false; }

    Result<int> run(Invocation& invocation) override;

  private:
    std::string file_;
    bool is_recent_ = false;
};

void print_sums(Output& out, const runtime::StreamCounts& counts, std::uint64_t byte_count,
                double nll, std::uint64_t budget) {
    const double mean = nll / static_cast<double>(counts.tokens);
    const double bits = nll / std::log(2.0) / static_cast<double>(byte_count);
    if (out.json()) {
        out.json({{"tokens", counts.tokens},
                  {"bytes", byte_count},
                  {"mean_nll", mean},
                  {"bits_per_byte", bits},
                  {"budget", budget},
                  {"entries", counts.entries()},
                  {"raw", counts.raw},
                  {"gists", counts.gists},
                  {"left_out_tokens", counts.left_out},
                  {"edits", counts.edits}});
        return;
    }
    const auto number = [](double x) { return Json(std::round(x * 1e4) / 1e4).dump(); };
    out.text(format_count(counts.tokens) + " tokens of " + format_bytes(byte_count));
    out.text("mean nll " + number(mean) + " nats, perplexity " + number(std::exp(mean)) + ", " +
             number(bits) + " bits per byte");
    std::string window = "window: " + format_count(counts.entries()) + " of " +
                         format_count(budget) + " entries, " + format_count(counts.raw) + " raw";
    for (std::size_t i = 0; i < counts.gists.size(); ++i)
        window += ", L" + std::to_string(i + 1) + " " + format_count(counts.gists[i]);
    out.text(window + "; left out " + format_count(counts.left_out) + " tokens");
}

// Reads what comes, and says of each token what it was worth.
class TokenPrinter {
  public:
    TokenPrinter(Invocation& invocation, runtime::StreamReader& reader,
                 const lm::Tokenizer& tokenizer)
        : invocation_(invocation),
          reader_(reader),
          tokenizer_(tokenizer),
          bar_(telemetry::ProgressBar::for_stderr(invocation.clock)) {
        bar_.begin("stream");
    }

    Result<void> receive(std::span<const TokenId> tokens) {
        while (!tokens.empty()) {
            if (invocation_.interrupted) return fail(ErrorCode::kCancelled, "interrupted");
            const auto some = tokens.first(std::min<std::size_t>(tokens.size(), kBlockSize));
            MC_TRY(read(some));
            bar_.update(reader_.counts().tokens, std::nullopt);
            tokens = tokens.subspan(some.size());
        }
        return {};
    }

    double nll_sum() const { return sum_; }

  private:
    Result<void> read(std::span<const TokenId> tokens) {
        const std::uint64_t begin = reader_.counts().tokens;
        MC_ASSIGN(const auto nll, reader_.read(tokens));
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            sum_ += static_cast<double>(nll[i]);
            if (!invocation_.out.json()) continue;
            bar_.clear();
            invocation_.out.json({{"index", begin + i},
                                  {"token", tokens[i]},
                                  {"text", std::string(tokenizer_.bytes_of(tokens[i]))},
                                  {"nll", nll[i]}});
        }
        return {};
    }

    Invocation& invocation_;
    runtime::StreamReader& reader_;
    const lm::Tokenizer& tokenizer_;
    telemetry::ProgressBar bar_;
    double sum_ = 0;
};

Result<int> StreamCommand::run(Invocation& invocation) {
    const std::uint64_t budget = invocation.config.budget_entries;
    MC_ASSIGN(const auto model, open_model(invocation.config));
    std::unique_ptr<GistEncoder> encoder;
    if (!is_recent_) {
        MC_ASSIGN(encoder,
                  gistnet::make_gist_encoder(*model, {invocation.config.encoder, 0, "none"}));
    }
    MC_ASSIGN(const auto reader, runtime::StreamReader::make(*model, encoder.get(), budget));
    const InterruptWatch watch;
    TokenPrinter printer(invocation, *reader, model->tokenizer());
    const auto receive = [&printer](std::span<const TokenId> tokens) {
        return printer.receive(tokens);
    };
    MC_ASSIGN(const std::uint64_t byte_count, read_text_tokens(file_, *model, receive));
    print_sums(invocation.out, reader->counts(), byte_count, printer.nll_sum(), budget);
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_stream_command() {
    return std::make_unique<StreamCommand>();
}

}  // namespace mc::apps
