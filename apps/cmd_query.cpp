// SPDX-License-Identifier: Apache-2.0
// `megacontext query`: one question, its evidence, and an answer when asked for.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/command.h"
#include "apps/render.h"
#include "apps/text.h"
#include "runtime/focus_session.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext query \"Who signed the treaty?\"\n"
    "  megacontext query \"Who signed the treaty?\" --answer --budget 512\n"
    "  megacontext query \"Who signed the treaty?\" --document book.txt --policy bm25 --json";

class QueryCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app = program.add_subcommand("query", "Ask a question of the bank");
        app->add_option("QUESTION", question_, "the question")->required();
        add_setting_flag(*app, flags, Setting::kPolicy);
        add_setting_flag(*app, flags, Setting::kBudget);
        app->add_option("--document", documents_, "only this document (repeatable)")
            ->type_name("DOCUMENT")
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        app->add_option("--evidence-count", evidence_count_, "most pieces of evidence")
            ->check(CLI::Range(std::size_t{1}, kEvidenceCountMax).description(""))
            ->type_name("N")
            ->capture_default_str();
        app->add_option("--seed", seed_, "of policy random")->capture_default_str();
        auto* answer = app->add_flag("--answer", wants_answer_, "let the base model answer");
        app->add_option("--max-tokens", tokens_max_, "longest answer")
            ->check(CLI::Range(std::uint32_t{1}, kAnswerTokensMax).description(""))
            ->type_name("N")
            ->capture_default_str();
        app->add_flag("--evidence-only", evidence_only_, "only the evidence (the default)")
            ->excludes(answer);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    // Far above what anyone reads; a bound so that a typing error cannot ask for everything.
    static constexpr std::size_t kEvidenceCountMax = 1000;
    // The default model's context length.
    static constexpr std::uint32_t kAnswerTokensMax = 8192;

    Result<runtime::QueryOptions> options_for(const Config& config,
                                              const runtime::BankSession& session) const;
    Result<void> print_text(Output& out, runtime::FocusSession& focus,
                            const runtime::QueryReport& report) const;
    Result<void> print_json(Output& out, runtime::FocusSession& focus,
                            const runtime::QueryReport& report) const;

    std::string question_;
    std::vector<std::string> documents_;
    std::size_t evidence_count_ = 5;
    std::uint64_t seed_ = 1;
    std::uint32_t tokens_max_ = 128;
    bool wants_answer_ = false;
    bool evidence_only_ = false;
};

Result<runtime::QueryOptions> QueryCommand::options_for(const Config& config,
                                                        const runtime::BankSession& session) const {
    runtime::QueryOptions options;
    options.policy = config.policy;
    options.budget = config.budget_entries;
    options.evidence_count = evidence_count_;
    options.seed = seed_;
    for (const std::string& name : documents_) {
        MC_ASSIGN(const DocumentRecord document, session.resolve_document(name));
        options.documents.push_back(document.id);
    }
    return options;
}

Result<void> QueryCommand::print_text(Output& out, runtime::FocusSession& focus,
                                      const runtime::QueryReport& report) const {
    out.text(out.faint(summary_of(report)));
    print_evidence(out, report.evidence);
    if (!wants_answer_) return {};
    out.text("");
    out.text(out.strong("answer"));
    runtime::AnswerOptions options;
    options.tokens_max = tokens_max_;
    options.on_text = [&out](std::string_view text) {
        out.raw(printable(text));
        out.flush();
    };
    MC_ASSIGN(const runtime::Answer answer, focus.answer(options));
    out.text("");
    out.text(out.faint(summary_of(answer)));
    return {};
}

Result<void> QueryCommand::print_json(Output& out, runtime::FocusSession& focus,
                                      const runtime::QueryReport& report) const {
    Json line = to_json(report);
    line["answer"] = nullptr;
    if (wants_answer_) {
        runtime::AnswerOptions options;
        options.tokens_max = tokens_max_;
        MC_ASSIGN(const runtime::Answer answer, focus.answer(options));
        line["answer"] = to_json(answer);
    }
    out.json(line);
    return {};
}

Result<int> QueryCommand::run(Invocation& invocation) {
    if (is_blank(question_)) return fail(ErrorCode::kInvalidInput, "the question is empty");
    MC_ASSIGN(const auto engine, runtime::Engine::open(invocation.config, runtime::Need::kModel,
                                                       runtime::Access::kWriteIfFree));
    MC_ASSIGN(const auto session, open_bank(invocation, *engine, false));
    MC_ASSIGN(const runtime::QueryOptions options, options_for(invocation.config, *session));
    runtime::FocusSession focus(*session);
    MC_ASSIGN(const runtime::QueryReport report, focus.ask(question_, options));
    MC_TRY(invocation.out.json() ? print_json(invocation.out, focus, report)
                                 : print_text(invocation.out, focus, report));
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_query_command() {
    return std::make_unique<QueryCommand>();
}

}  // namespace mc::apps
