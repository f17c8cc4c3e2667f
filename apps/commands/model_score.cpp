// SPDX-License-Identifier: Apache-2.0
// `megacontext model score`: how likely the base model finds a text, token by token.
#include <CLI/CLI.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/commands/model.h"
#include "apps/commands/text_input.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "lm/likelihood.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext model score book.txt\n"
    "  megacontext model score book.txt --window 2048 --stride 1024 --top-k 5 --json\n"
    "With --json: one line a token, then one line with the sums. docs/evaluation.md has the "
    "definitions.";

struct Totals {
    std::uint64_t token_count = 0;
    std::uint64_t byte_count = 0;
    double nll = 0;
    double entropy = 0;
};

class ModelScoreCommand final : public Command {
  public:
    CLI::App* define(CLI::App& model, ConfigLayer&) override {
        CLI::App* app = model.add_subcommand("score", "Likelihood of every token of a text");
        app->add_option("FILE", file_, "the text; - is standard input")->required();
        app->add_option("--window", options_.window, "entries that are read at once, BOS counted")
            ->type_name("W")
            ->capture_default_str();
        app->add_option("--stride", options_.stride, "tokens that each further window scores")
            ->type_name("S")
            ->capture_default_str();
        app->add_option("--top-k", options_.top_k,
                        "likeliest tokens to list at each place (--json)")
            ->type_name("K")
            ->capture_default_str();
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    Result<void> score(Invocation& invocation, const lm::BaseModel& model, Totals& totals) const;

    std::string file_;
    lm::LikelihoodOptions options_;
};

Json token_json(const lm::TokenLikelihood& scored, const lm::Tokenizer& tokenizer) {
    Json line = {{"index", scored.index},
                 {"token", scored.token},
                 {"text", std::string(tokenizer.bytes_of(scored.token))},
                 {"nll", scored.nll},
                 {"entropy", scored.entropy}};
    if (scored.top.empty()) return line;
    Json top = Json::array();
    for (const auto& [token, score] : scored.top)
        top.push_back({{"token", token}, {"logprob", score}});
    line["top"] = std::move(top);
    return line;
}

Result<void> ModelScoreCommand::score(Invocation& invocation, const lm::BaseModel& model,
                                      Totals& totals) const {
    const lm::Tokenizer& tokenizer = model.tokenizer();
    const auto receive = [&](std::span<const lm::TokenLikelihood> scored) -> Result<void> {
        if (invocation.interrupted) return fail(ErrorCode::kCancelled, "interrupted");
        for (const lm::TokenLikelihood& token : scored) {
            ++totals.token_count;
            totals.nll += static_cast<double>(token.nll);
            totals.entropy += static_cast<double>(token.entropy);
            if (invocation.out.json()) invocation.out.json(token_json(token, tokenizer));
        }
        return {};
    };
    MC_ASSIGN(auto scorer, lm::LikelihoodScorer::make(model, options_, receive));
    MC_ASSIGN(totals.byte_count,
              read_text_tokens(file_, model, [&scorer](std::span<const TokenId> tokens) {
                  return scorer.push(tokens);
              }));
    return scorer.finish();
}

Result<int> ModelScoreCommand::run(Invocation& invocation) {
    MC_ASSIGN(const auto model, open_model(invocation.config));
    const InterruptWatch watch;
    Totals totals;
    MC_TRY(score(invocation, *model, totals));
    const auto tokens = static_cast<double>(totals.token_count);
    const double mean = totals.nll / tokens;
    const double bits = totals.nll / std::log(2.0) / static_cast<double>(totals.byte_count);
    Output& out = invocation.out;
    if (out.json()) {
        out.json({{"tokens", totals.token_count},
                  {"bytes", totals.byte_count},
                  {"mean_nll", mean},
                  {"mean_entropy", totals.entropy / tokens},
                  {"perplexity", std::exp(mean)},
                  {"bits_per_byte", bits},
                  {"window", options_.window},
                  {"stride", options_.stride}});
        return 0;
    }
    const auto number = [](double x) { return Json(std::round(x * 1e4) / 1e4).dump(); };
    out.text(format_count(totals.token_count) + " tokens of " + format_bytes(totals.byte_count));
    out.text("mean nll " + number(mean) + " nats, perplexity " + number(std::exp(mean)) + ", " +
             number(bits) + " bits per byte");
    out.text("mean entropy " + number(totals.entropy / tokens) + " nats");
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_model_score_command() {
    return std::make_unique<ModelScoreCommand>();
}

}  // namespace mc::apps
