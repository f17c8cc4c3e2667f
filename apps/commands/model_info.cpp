// SPDX-License-Identifier: Apache-2.0
// `megacontext model info`: what the base model is and what its gists weigh.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/model.h"
#include "apps/terminal/text.h"
#include "lm/base_model.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext model info\n"
    "  megacontext model info --model other.gguf --json";

Json model_json(const Config& config, const lm::BaseModel& model) {
    const lm::ModelConfig& shape = model.config();
    return {{"path", config.model.string()},
            {"name", shape.name},
            {"architecture", shape.architecture},
            {"parameters", shape.parameter_count},
            {"layers", shape.layer_count},
            {"hidden_dim", shape.hidden_dim},
            {"heads", shape.head_count},
            {"kv_heads", shape.kv_head_count},
            {"head_dim", shape.head_dim},
            {"ffn_dim", shape.ffn_dim},
            {"vocabulary", shape.vocabulary_size},
            {"context_length", shape.context_length},
            {"rope_base", shape.rope_base},
            {"hash", to_hex(model.hash())},
            {"tokenizer_hash", to_hex(model.tokenizer().hash())},
            {"gist_bytes_fp16", shape.gist_shape().kv_count() * sizeof(std::uint16_t)},
            {"device", model.device_description()}};
}

void print_model(Output& out, const Json& model) {
    const auto line = [&out](std::string_view name, const std::string& value) {
        std::string label(name);
        label.resize(16, ' ');
        out.text(out.faint(label) + printable(value));
    };
    const auto count = [&model](const char* key) {
        return format_count(model.at(key).get<std::uint64_t>());
    };
    line("name", model.at("name").get<std::string>());
    line("file", model.at("path").get<std::string>());
    line("hash", model.at("hash").get<std::string>());
    line("architecture",
         model.at("architecture").get<std::string>() + ", " + count("parameters") + " parameters");
    line("layers", count("layers") + " of width " + count("hidden_dim") + ", feed-forward " +
                       count("ffn_dim"));
    line("heads",
         count("heads") + " query and " + count("kv_heads") + " KV of " + count("head_dim"));
    line("vocabulary", count("vocabulary") + " tokens");
    line("context", count("context_length") + " positions");
    line("gist", format_bytes(model.at("gist_bytes_fp16").get<std::uint64_t>()) + " in fp16");
    line("runs on", model.at("device").get<std::string>());
}

class ModelInfoCommand final : public Command {
  public:
    CLI::App* define(CLI::App& model, ConfigLayer&) override {
        CLI::App* app = model.add_subcommand("info", "Shape, hashes and device of the base model");
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        MC_ASSIGN(const auto model, open_model(invocation.config));
        const Json description = model_json(invocation.config, *model);
        if (invocation.out.json())
            invocation.out.json(description);
        else
            print_model(invocation.out, description);
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_model_info_command() {
    return std::make_unique<ModelInfoCommand>();
}

}  // namespace mc::apps
