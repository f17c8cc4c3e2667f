// SPDX-License-Identifier: Apache-2.0
// `megacontext model verify`: whether the base model's file is whole and works.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/model.h"
#include "apps/terminal/text.h"
#include "lm/model_check.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext model verify\n"
    "  megacontext model verify --model other.gguf --hash 1dff70ef9e211d0ab8951aa641e75aa1";

class ModelVerifyCommand final : public Command {
  public:
    CLI::App* define(CLI::App& model, ConfigLayer&) override {
        CLI::App* app = model.add_subcommand(
            "verify", "Decode every tensor, try the tokenizer and one forward pass");
        app->add_option("--hash", hash_, "the hash that the file should have (see model info)")
            ->type_name("HEX");
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    std::string hash_;
};

Result<int> ModelVerifyCommand::run(Invocation& invocation) {
    std::optional<Hash128> expected;
    if (!hash_.empty()) {
        expected = hash_from_hex(hash_);
        if (!expected)
            return fail(ErrorCode::kUsage, "--hash takes 32 lower-case hexadecimal digits");
    }
    MC_ASSIGN(const lm::ModelCheck check,
              lm::check_model(runtime::model_options(invocation.config), expected));
    Output& out = invocation.out;
    if (out.json()) {
        out.json({{"path", invocation.config.model.string()},
                  {"hash", to_hex(check.hash)},
                  {"tensors", check.tensor_count},
                  {"values", check.value_count},
                  {"faults", check.faults}});
    } else {
        out.text("hash " + to_hex(check.hash));
        out.text(
            format_count(check.tensor_count) + " tensors, " + format_count(check.value_count) +
            " values, tokenizer, forward pass: " +
            (check.faults.empty() ? "no faults" : format_count(check.faults.size()) + " faults"));
        for (const std::string& fault : check.faults) out.text(printable(fault));
    }
    return check.faults.empty() ? 0 : static_cast<int>(ErrorCode::kCorruption);
}

}  // namespace

std::unique_ptr<Command> make_model_verify_command() {
    return std::make_unique<ModelVerifyCommand>();
}

}  // namespace mc::apps
