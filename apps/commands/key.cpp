// SPDX-License-Identifier: Apache-2.0
// `megacontext key`: keys of encrypted stores.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/commands/key_prompt.h"
#include "apps/terminal/text.h"
#include "runtime/store_key.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext key new ~/memory.key\n"
    "  megacontext --key-file ~/memory.key ingest notes.txt\n"
    "  megacontext --key-file ~/memory.key key change --new-passphrase-file -\n"
    "A store that is made while a key is given is encrypted with it, and opens with it alone:\n"
    "nobody can read it without, and nobody can make the key again. Keep a copy of a key file "
    "away\n"
    "from the store and its backups. `backup --encrypt` makes an encrypted copy of a store that is "
    "not.";

class KeyCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app = program.add_subcommand("key", "Make and change keys of encrypted stores");
        app->require_subcommand(1);
        new_ = app->add_subcommand("new", "Make a key file of 32 random bytes");
        new_->add_option("FILE", file_, "the file to make; it must not exist")->required();
        change_ = app->add_subcommand("change", "Let another key open the store from now on");
        auto* const file = change_
                               ->add_option("--new-key-file", new_key_file_,
                                            "the key file that opens the store from now on")
                               ->type_name("FILE");
        change_
            ->add_option("--new-passphrase-file", new_passphrase_file_,
                         "file whose first line opens the store from now on; - asks for it")
            ->type_name("FILE")
            ->excludes(file);
        for (CLI::App* part : {app, new_, change_}) part->footer(kFooter);
        return app;
    }

    bool opens_store() const override { return change_->parsed(); }

    Result<int> run(Invocation& invocation) override {
        return new_->parsed() ? make(invocation.out) : change(invocation);
    }

  private:
    Result<int> make(Output& out) const;
    Result<int> change(Invocation& invocation) const;
    Result<storage::StoreKey> new_key(const std::string& store) const;

    CLI::App* new_ = nullptr;
    CLI::App* change_ = nullptr;
    std::string file_;
    std::string new_key_file_;
    std::string new_passphrase_file_;
};

Result<int> KeyCommand::make(Output& out) const {
    MC_TRY(storage::make_key_file(file_));
    if (out.json())
        out.json({{"key_file", file_}});
    else
        out.text("made " + printable(file_) +
                 "; without it nobody opens what it encrypts: keep a copy elsewhere");
    return 0;
}

Result<storage::StoreKey> KeyCommand::new_key(const std::string& store) const {
    if (!new_key_file_.empty()) return storage::StoreKey::from_file(new_key_file_);
    if (new_passphrase_file_ != "-")
        return storage::StoreKey::from_passphrase_file(new_passphrase_file_);
    MC_ASSIGN(const std::string typed, ask_passphrase("New passphrase of " + store, true));
    return storage::StoreKey::from_passphrase(typed, "the new passphrase");
}

Result<int> KeyCommand::change(Invocation& invocation) const {
    if (new_key_file_.empty() && new_passphrase_file_.empty())
        return fail(ErrorCode::kUsage, "give --new-key-file or --new-passphrase-file");
    const std::string store = invocation.config.store.string();
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kStore, runtime::Access::kWrite));
    MC_ASSIGN(const auto key, new_key(store));
    MC_TRY(engine->store().change_key(key));
    if (invocation.out.json())
        invocation.out.json({{"store", store}, {"opens_with", key.name()}});
    else
        invocation.out.text("from now on " + printable(key.name()) + " opens " + printable(store) +
                            "; copies that were made before open with what they were made with");
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_key_command() {
    return std::make_unique<KeyCommand>();
}

}  // namespace mc::apps
