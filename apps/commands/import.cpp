// SPDX-License-Identifier: Apache-2.0
// `megacontext import`: an exported bank into the bank in use.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/commands/key_prompt.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "apps/views/render.h"
#include "runtime/bank_transfer.h"
#include "runtime/store_key.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext import work.mcbank --bank work\n"
    "  ssh other megacontext export - | megacontext import -\n"
    "The whole file is checked before anything is taken in. A document is imported whole or not "
    "at\n"
    "all; what is there already with the same content is left as it is, so an import that was\n"
    "interrupted goes on with the same command. Gists of the file are taken as they are where the\n"
    "store's are of the same models; else they are made anew, as ingest makes them.";

class ImportCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app = program.add_subcommand("import", "Take an exported bank in");
        app->add_option("FILE", file_, "what export wrote; - for standard input")->required();
        auto* const key =
            app->add_option("--file-key", key_file_,
                            "key file that opens the file, where it is not that of the store")
                ->type_name("FILE");
        app->add_option("--file-passphrase", passphrase_file_,
                        "file whose first line is the passphrase of the file; - asks for it")
            ->type_name("FILE")
            ->excludes(key);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    void print(Output& out, const std::string& bank, const runtime::ImportReport& report) const;

    Result<std::optional<storage::StoreKey>> file_key() const;

    std::string file_;
    std::string key_file_;
    std::string passphrase_file_;
};

void print_document(Output& out, const DocumentRecord& document, bool was_there) {
    if (out.json()) {
        Json line{{"outcome", was_there ? "already_there" : "imported"}};
        line.update(to_json(document));
        out.json(line);
        return;
    }
    out.text(out.strong(was_there ? "already there" : "imported") + "  " + to_text(document.id) +
             "  " + printable(document.source_name) + "  " + format_count(document.token_count) +
             " tokens, " + format_count(document.byte_count) + " bytes");
}

void ImportCommand::print(Output& out, const std::string& bank,
                          const runtime::ImportReport& report) const {
    const bool encoded = !report.why_encoded.empty();
    if (out.json()) {
        out.json({{"outcome", "done"},
                  {"file", file_},
                  {"from_bank", report.from_bank},
                  {"bank", bank},
                  {"imported", report.imported},
                  {"already_there", report.already_there},
                  {"tokens", report.tokens},
                  {"bytes", report.bytes},
                  {"tombstones", report.tombstones},
                  {"gists", encoded ? "encoded_anew" : "of_the_file"},
                  {"reason", encoded ? Json(report.why_encoded) : Json(nullptr)}});
        return;
    }
    out.text(format_count(report.imported) + " documents of bank " + printable(report.from_bank) +
             " imported into bank " + bank + ", " + format_count(report.already_there) +
             " were there, " + format_count(report.tombstones) + " tombstones; gists " +
             (encoded ? "encoded anew: " + printable(report.why_encoded)
                      : std::string("as in the file")));
}

Result<std::optional<storage::StoreKey>> ImportCommand::file_key() const {
    Config named;
    named.key_file = key_file_;
    named.passphrase_file = passphrase_file_;
    if (passphrase_file_ == "-") {
        MC_ASSIGN(named.passphrase, ask_passphrase("Passphrase of " + file_, false));
        named.passphrase_file.clear();
    }
    return runtime::store_key_of(named);
}

Result<int> ImportCommand::run(Invocation& invocation) {
    const InterruptWatch watch;
    Output& out = invocation.out;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    std::string stage;
    runtime::ImportOptions options;
    options.cancelled = &invocation.interrupted;
    MC_ASSIGN(options.file_key, file_key());
    options.progress = [&](const runtime::TransferProgress& progress) {
        if (stage != progress.stage) bar.begin(stage = progress.stage);
        bar.update(progress.tokens, progress.share_done);
    };
    options.on_document = [&](const DocumentRecord& document, bool was_there) {
        bar.clear();
        print_document(out, document, was_there);
    };
    MC_ASSIGN(const auto report,
              runtime::import_bank(invocation.config, file_, invocation.metrics, options));
    bar.clear();
    print(out, invocation.config.bank, report);
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_import_command() {
    return std::make_unique<ImportCommand>();
}

}  // namespace mc::apps
