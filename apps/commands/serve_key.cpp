// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/serve_key.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/terminal/text.h"
#include "runtime/store_key.h"
#include "serve/http/access_keys.h"

namespace mc::apps {
namespace {

Path keys_file(const Invocation& invocation) {
    return serve::AccessKeys::file_of(invocation.config.store);
}

// The keys, and the store whose seal they lie under; null where there is none yet.
struct OpenKeys {
    std::unique_ptr<storage::Store> store;
    serve::AccessKeys keys;

    Result<void> save(const Invocation& invocation) const {
        return keys.save(keys_file(invocation), store ? store->seal() : nullptr);
    }
};

Result<OpenKeys> open_keys(const Invocation& invocation) {
    OpenKeys open;
    MC_ASSIGN(open.store, runtime::store_for_its_seal(invocation.config, invocation.clock));
    const storage::StoreSeal* const seal = open.store ? open.store->seal() : nullptr;
    MC_ASSIGN(open.keys, serve::AccessKeys::load(keys_file(invocation), seal));
    return open;
}

Json json_of(const serve::AccessKey& key) {
    return {{"id", key.id},
            {"name", key.name},
            {"verbs", key.verbs},
            {"banks", key.banks},
            {"created_us", key.created_us},
            {"in_force", key.in_force()}};
}

std::string joined(const std::vector<std::string>& items) {
    std::string text;
    for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
    return text.empty() ? "all" : text;
}

class KeyCreate final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app = program.add_subcommand("create", "Make a key and show its secret once");
        app->add_option("NAME", draft_.name, "whose it is")->required();
        const auto add_list = [&](const char* flag, std::vector<std::string>& list,
                                  const char* help) {
            app->add_option(flag, list, help)
                ->type_name("NAME")
                ->expected(1)
                ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        };
        add_list("--only-verb", draft_.verbs, "may do this alone (repeatable)");
        add_list("--only-bank", draft_.banks, "may see this bank alone (repeatable)");
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        MC_ASSIGN(OpenKeys open, open_keys(invocation));
        serve::AccessKeys& keys = open.keys;
        MC_ASSIGN(const std::string secret, keys.create(draft_, invocation.clock.now_us()));
        std::error_code ignored;
        std::filesystem::create_directories(invocation.config.store, ignored);
        MC_TRY(open.save(invocation));
        if (invocation.out.json()) {
            Json line = json_of(keys.keys().back());
            line["secret"] = secret;
            invocation.out.json(line);
        } else {
            invocation.out.text(secret);
            invocation.out.note("key " + keys.keys().back().id +
                                "; it is shown this once and kept nowhere");
        }
        return 0;
    }

  private:
    serve::AccessKey draft_;
};

class KeyList final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        return program.add_subcommand("list", "The keys, without their secrets");
    }

    Result<int> run(Invocation& invocation) override {
        MC_ASSIGN(const OpenKeys open, open_keys(invocation));
        Output& out = invocation.out;
        if (out.json()) {
            Json list = Json::array();
            for (const serve::AccessKey& key : open.keys.keys()) list.push_back(json_of(key));
            out.json({{"keys", list}});
            return 0;
        }
        Table table({{"key"}, {"name"}, {"verbs"}, {"banks"}, {"created"}, {"state"}});
        for (const serve::AccessKey& key : open.keys.keys())
            table.add_row({key.id, printable(key.name), joined(key.verbs), joined(key.banks),
                           format_time(key.created_us), key.in_force() ? "in force" : "revoked"});
        table.print(out);
        return 0;
    }
};

class KeyRevoke final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app = program.add_subcommand("revoke", "Let a key in no more, from now on");
        app->add_option("KEY", id_, "such as k1")->required();
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        MC_ASSIGN(OpenKeys open, open_keys(invocation));
        MC_TRY(open.keys.revoke(id_, invocation.clock.now_us()));
        MC_TRY(open.save(invocation));
        if (invocation.out.json())
            invocation.out.json({{"id", id_}, {"in_force", false}});
        else
            invocation.out.text("revoked " + id_);
        return 0;
    }

  private:
    std::string id_;
};

}  // namespace

std::unique_ptr<Command> make_serve_key_create() {
    return std::make_unique<KeyCreate>();
}

std::unique_ptr<Command> make_serve_key_list() {
    return std::make_unique<KeyList>();
}

std::unique_ptr<Command> make_serve_key_revoke() {
    return std::make_unique<KeyRevoke>();
}

}  // namespace mc::apps
