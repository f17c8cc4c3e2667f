// SPDX-License-Identifier: Apache-2.0
// `megacontext backup`: a copy of the store as it is now, whatever else is done with it meanwhile.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/commands/store_check.h"
#include "apps/terminal/text.h"
#include "runtime/backup.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext backup saved/monday\n"
    "  megacontext --store saved/monday verify\n"
    "  megacontext --key-file ~/memory.key backup --encrypt encrypted\n"
    "The copy is a store like any other, as of one commit; an ingest may go on meanwhile. It is\n"
    "checked as verify does before it is kept, which takes as long as verify. Indexes are not\n"
    "copied: the first query or ingest on the copy rebuilds them. Keys of serve are not copied.";

class BackupCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app = program.add_subcommand("backup", "Copy the store while it is in use");
        app->add_option("DEST", destination_, "the folder to make; it must not exist")->required();
        auto* const encrypt = app->add_flag(
            "--encrypt", encrypt_, "of a store that is not encrypted, with the key that is given");
        app->add_flag("--decrypt", decrypt_, "of an encrypted store, a copy that is not encrypted")
            ->excludes(encrypt);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    std::string destination_;
    bool encrypt_ = false;
    bool decrypt_ = false;
};

Result<int> BackupCommand::run(Invocation& invocation) {
    Findings findings;
    std::uint64_t disk_bytes = 0;
    const auto check = [&](runtime::Engine& copy) -> Result<void> {
        MC_ASSIGN(findings, check_store(copy));
        MC_ASSIGN(disk_bytes, copy.store().size_on_disk_bytes());
        if (findings.faults.empty()) return {};
        return fail(ErrorCode::kCorruption,
                    "the copy has " + std::to_string(findings.faults.size()) +
                        " faults and is not kept, the first: " +
                        findings.faults.front().at("message").get<std::string>() +
                        "; run megacontext verify on the store");
    };
    const auto kind = encrypt_   ? runtime::CopyKind::kEncrypted
                      : decrypt_ ? runtime::CopyKind::kNotEncrypted
                                 : runtime::CopyKind::kAsItIs;
    MC_TRY(runtime::back_up(invocation.config, destination_, kind, invocation.metrics, check));
    Output& out = invocation.out;
    if (out.json())
        out.json({{"store", invocation.config.store.string()},
                  {"backup", destination_},
                  {"documents", findings.documents},
                  {"tokens", findings.tokens},
                  {"bytes", findings.bytes},
                  {"disk_bytes", disk_bytes},
                  {"verified", true},
                  {"indexes", "rebuilt_on_use"}});
    else
        out.text(out.strong("backed up") + "  " + printable(destination_) + "  " +
                 format_count(findings.documents) + " documents, " + format_count(findings.tokens) +
                 " tokens, " + format_count(findings.bytes) + " bytes in " +
                 format_bytes(disk_bytes) +
                 ", verified; its first query or ingest rebuilds the indexes");
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_backup_command() {
    return std::make_unique<BackupCommand>();
}

}  // namespace mc::apps
