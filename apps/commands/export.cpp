// SPDX-License-Identifier: Apache-2.0
// `megacontext export`: a bank as one file that can be carried elsewhere.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "runtime/bank_transfer.h"
#include "runtime/store_key.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext export --bank work work.mcbank\n"
    "  megacontext export --gists work.mcbank\n"
    "  megacontext export - | ssh other megacontext import -\n"
    "The file holds every document of the bank to the byte, with names, times and metadata, and\n"
    "the tombstones of what was forgotten, as they are at one commit; with --gists an import "
    "needs\n"
    "to encode nothing where the same models are in use. A file that is there is replaced. Of an\n"
    "encrypted store the file is encrypted, and opens with the key that opens the store now.";

class ExportCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app = program.add_subcommand("export", "Write a bank to one file");
        app->add_option("FILE", file_, "the file to make; - for standard output")->required();
        app->add_flag("--gists", with_gists_,
                      "its gists too, which makes it some ten times larger");
        app->add_flag("--plain", plain_, "of an encrypted store, a file that is not encrypted");
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    void print(Output& out, const std::string& bank, const storage::ExportReport& report,
               bool encrypted) const;

    std::string file_;
    bool with_gists_ = false;
    bool plain_ = false;
};

void ExportCommand::print(Output& out, const std::string& bank, const storage::ExportReport& report,
                          bool encrypted) const {
    const storage::BankFileTotals& totals = report.totals;
    if (out.json()) {
        out.json({{"bank", bank},
                  {"file", file_},
                  {"documents", totals.documents},
                  {"tokens", totals.tokens},
                  {"bytes", totals.bytes},
                  {"tombstones", totals.tombstones},
                  {"gists", with_gists_},
                  {"encrypted", encrypted},
                  {"file_bytes", report.file_bytes}});
        return;
    }
    const std::string line =
        out.strong("exported") + "  bank " + bank + "  " + format_count(totals.documents) +
        " documents, " + format_count(totals.tokens) + " tokens, " + format_count(totals.bytes) +
        " bytes in " + format_bytes(report.file_bytes) + (encrypted ? ", encrypted" : "");
    file_ == "-" ? out.note(line) : out.text(line);
}

Result<int> ExportCommand::run(Invocation& invocation) {
    if (file_ == "-" && invocation.out.json())
        return fail(ErrorCode::kUsage, "- and --json would both write to standard output");
    const InterruptWatch watch;
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kTokenizer, runtime::Access::kRead));
    MC_ASSIGN(const auto session,
              runtime::BankSession::open(*engine, invocation.config.bank, false));
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin("export " + excerpt(invocation.config.bank, 24));
    storage::ExportOptions options;
    options.with_gists = with_gists_;
    MC_ASSIGN(const auto key, runtime::store_key_of(invocation.config));
    if (!plain_) options.key = runtime::pointer_to(key);
    options.text_of = runtime::text_by(engine->tokenizer());
    options.progress = [&](std::uint64_t tokens) { bar.update(tokens, std::nullopt); };
    options.cancelled = &invocation.interrupted;
    MC_ASSIGN(const auto report,
              storage::export_bank(engine->store(), session->nodes(), file_, options));
    bar.clear();
    print(invocation.out, invocation.config.bank, report, options.key != nullptr);
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_export_command() {
    return std::make_unique<ExportCommand>();
}

}  // namespace mc::apps
