// SPDX-License-Identifier: Apache-2.0
// `megacontext gists`: the gists of text that was taken in without.
#include "apps/commands/gists.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "apps/views/render.h"
#include "runtime/gist_maker.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext ingest --no-gists archive/ && megacontext query \"what was decided?\"\n"
    "  megacontext gists\n"
    "Text can be found, read and answered from without its gists; windows that cover whole\n"
    "documents need them. An interrupted run is continued by the same command.";

void print_made(Output& out, const DocumentRecord& document, std::uint64_t gists, double seconds) {
    if (out.json()) return;
    const std::uint64_t tokens = tokens_without_gists(document);
    const double rate = seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
    out.text(out.strong("gists  " + to_text(document.id)) + "  " + printable(document.source_name) +
             "  " + format_count(gists) + " gists of " + format_count(tokens) + " tokens in " +
             format_seconds(seconds) + ", " + format_count(static_cast<std::uint64_t>(rate)) +
             " tokens/s");
    out.flush();
}

class GistsCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app =
            program.add_subcommand("gists", "Make the gists that a bank's documents wait for");
        app->add_flag("--stats", with_statistics_,
                      "also keep each block's mean NLL and entropy (slower)");
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        const InterruptWatch watch;
        MC_ASSIGN(const auto engine,
                  open_engine(invocation, runtime::Need::kModel, runtime::Access::kWrite));
        MC_ASSIGN(const auto bank,
                  runtime::BankSession::open(*engine, invocation.config.bank, false));
        MC_ASSIGN(const MadeGists made, make_waiting_gists(invocation, *bank, with_statistics_));
        if (invocation.out.json())
            invocation.out.json({{"bank", invocation.config.bank},
                                 {"documents", made.documents},
                                 {"tokens", made.tokens},
                                 {"gists_added", made.gists}});
        else if (made.documents == 0)
            invocation.out.text("no document of bank " + printable(invocation.config.bank) +
                                " waits for gists");
        return 0;
    }

  private:
    bool with_statistics_ = false;
};

}  // namespace

Result<MadeGists> make_waiting_gists(Invocation& invocation, runtime::BankSession& bank,
                                     bool with_statistics) {
    MadeGists made;
    MC_ASSIGN(const auto documents, runtime::documents_without_gists(bank.nodes()));
    for (const DocumentRecord& document : documents) {
        auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
        bar.begin("gists " + excerpt(document.source_name, 24));
        const std::int64_t begin_ns = invocation.clock.monotonic_ns();
        runtime::GistOptions options;
        options.with_statistics = with_statistics;
        options.cancelled = &invocation.interrupted;
        options.progress = [&bar](const runtime::GistProgress& state) {
            bar.update(state.tokens_done, static_cast<double>(state.tokens_done) /
                                              static_cast<double>(state.tokens_total));
        };
        MC_ASSIGN(const std::uint64_t gists, runtime::make_gists(bank, document.id, options));
        bar.clear();
        const double seconds = seconds_between(begin_ns, invocation.clock.monotonic_ns());
        invocation.log.info(
            "gists_made",
            {{"document", to_text(document.id)}, {"gists", gists}, {"seconds", seconds}});
        print_made(invocation.out, document, gists, seconds);
        ++made.documents;
        made.tokens += tokens_without_gists(document);
        made.gists += gists;
    }
    return made;
}

std::unique_ptr<Command> make_gists_command() {
    return std::make_unique<GistsCommand>();
}

}  // namespace mc::apps
