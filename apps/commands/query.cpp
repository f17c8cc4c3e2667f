// SPDX-License-Identifier: Apache-2.0
// `megacontext query`: one question, its evidence, and an answer when asked for.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/commands/filter_flags.h"
#include "apps/commands/reader_flags.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "apps/views/answer_settings.h"
#include "apps/views/macro_view.h"
#include "apps/views/render.h"
#include "runtime/bank_choice.h"
#include "runtime/focus_session.h"
#include "runtime/macros.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext query \"Who signed the treaty?\"\n"
    "  megacontext query \"Who signed the treaty?\" --answer --budget 512\n"
    "  megacontext query \"Who signed the treaty?\" --document book.txt --policy bm25 --json\n"
    "  megacontext query \"What did Anna say?\" --banks work,home\n"
    "  megacontext query \"What did Anna say?\" --session monday --since 2026-03-01\n"
    "What has no event time counts by when it was stored.";

struct OpenBanks {
    std::unique_ptr<runtime::Engine> engine;
    std::vector<std::unique_ptr<runtime::BankSession>> sessions;

    std::vector<runtime::BankSession*> all() const {
        std::vector<runtime::BankSession*> banks;
        for (const auto& session : sessions) banks.push_back(session.get());
        return banks;
    }
};

class QueryCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app = program.add_subcommand("query", "Ask a question of the bank");
        app->add_option("QUESTION", question_, "the question")->required();
        add_setting_flag(*app, flags, Setting::kPolicy);
        add_setting_flag(*app, flags, Setting::kBudget);
        app->add_option("--banks", banks_,
                        "ask these banks together, in place of --bank; *: all of the store")
            ->type_name("NAME,…")
            ->delimiter(',')
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        add_filter_flags(*app, filter_);
        app->add_option("--evidence-count", evidence_count_, "most pieces of evidence")
            ->check(CLI::Range(std::size_t{1}, kEvidenceCountMax).description(""))
            ->type_name("N")
            ->capture_default_str();
        auto* answer = app->add_flag("--answer", wants_answer_, "let the base model answer");
        app->add_flag("--evidence-only", evidence_only_, "only the evidence (the default)")
            ->excludes(answer);
        auto* reader = reader_.add(*app)->needs(answer);
        app->add_option("--macro", macro_name_,
                        "what the answer's instruction is: a macro of the bank")
            ->type_name("NAME")
            ->needs(answer)
            ->excludes(reader);
        app->add_flag("--explain", explain_, "why each passage that was found is read or left out");
        add_answer_flags(*app, answer_options_);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    // Far above what anyone reads; a bound so that a typing error cannot ask for everything.
    static constexpr std::size_t kEvidenceCountMax = 1000;

    Result<OpenBanks> open_banks(Invocation& invocation, runtime::Access access) const;
    Result<OpenBanks> open_banks(Invocation& invocation) const;
    Result<runtime::QueryOptions> options_for(const Config& config, const OpenBanks& banks) const;
    // Both say why the answer ended.
    Result<runtime::AnswerEnd> print_text(Output& out, runtime::FocusSession& focus,
                                          const runtime::QueryReport& report);
    Result<runtime::AnswerEnd> print_json(Output& out, runtime::FocusSession& focus,
                                          const runtime::QueryReport& report);

    std::string question_;
    std::vector<std::string> banks_;  // empty: the configured one
    runtime::RecallFilter filter_;
    std::size_t evidence_count_ = 5;
    runtime::AnswerOptions answer_options_;
    ReaderFlags reader_;
    std::string macro_name_;
    std::optional<storage::MacroRecord> macro_;  // of that name
    bool wants_answer_ = false;
    bool evidence_only_ = false;
    bool explain_ = false;
};

Result<runtime::QueryOptions> QueryCommand::options_for(const Config& config,
                                                        const OpenBanks& banks) const {
    runtime::QueryOptions options;
    options.policy = config.policy;
    options.budget = config.budget_entries;
    options.evidence_count = evidence_count_;
    options.seed = answer_options_.seed;
    std::vector<const runtime::BankText*> texts;
    for (const auto& session : banks.sessions) texts.push_back(&session->text());
    MC_ASSIGN(options.scope, runtime::resolve(filter_, texts));
    return options;
}

Result<runtime::AnswerEnd> QueryCommand::print_text(Output& out, runtime::FocusSession& focus,
                                                    const runtime::QueryReport& report) {
    out.text(out.faint(summary_of(report)));
    print_evidence(out, report.evidence, !banks_.empty());
    if (explain_) {
        MC_ASSIGN(const auto considered, focus.considered(kConsideredShown));
        out.text("");
        out.text(out.strong("considered"));
        print_considered(out, considered);
    }
    if (!wants_answer_) return runtime::AnswerEnd::kEndOfText;
    out.text("");
    out.text(out.strong("answer"));
    answer_options_.on_text = [&out](std::string_view text) {
        out.raw(printable(text));
        out.flush();
        return true;
    };
    MC_ASSIGN(const runtime::Answer answer, focus.answer(answer_options_));
    out.text(source_marks(answer));
    out.text(out.faint(summary_of(answer)));
    return answer.stop_reason;
}

Result<runtime::AnswerEnd> QueryCommand::print_json(Output& out, runtime::FocusSession& focus,
                                                    const runtime::QueryReport& report) {
    Json line = to_json(report);
    line["answer"] = nullptr;
    if (explain_) {
        MC_ASSIGN(const auto considered, focus.considered(kConsideredShown));
        line["considered"] = to_json(considered);
    }
    runtime::AnswerEnd reason = runtime::AnswerEnd::kEndOfText;
    if (wants_answer_) {
        MC_ASSIGN(const runtime::Answer answer, focus.answer(answer_options_));
        line["answer"] = to_json(answer);
        line["macro"] = nullptr;
        if (macro_) line["macro"] = to_json(*macro_);
        reason = answer.stop_reason;
    }
    out.json(line);
    return reason;
}

Result<OpenBanks> QueryCommand::open_banks(Invocation& invocation, runtime::Access access) const {
    OpenBanks banks;
    MC_ASSIGN(banks.engine, open_engine(invocation, runtime::Need::kModel, access));
    std::vector<std::string> names{invocation.config.bank};
    if (!banks_.empty()) {
        MC_ASSIGN(names, runtime::banks_meant(banks.engine->store(), banks_));
    }
    for (const std::string& name : names) {
        MC_ASSIGN(auto session, runtime::BankSession::open(*banks.engine, name, false));
        MC_TRY(open_search(invocation, *session));
        banks.sessions.push_back(std::move(session));
    }
    return banks;
}

// Catching indexes up needs room; answering does not.
Result<OpenBanks> QueryCommand::open_banks(Invocation& invocation) const {
    auto banks = open_banks(invocation, runtime::Access::kWriteIfFree);
    if (banks || banks.error().code() != ErrorCode::kOutOfSpace) return banks;
    return open_banks(invocation, runtime::Access::kRead);
}

Result<int> QueryCommand::run(Invocation& invocation) {
    if (is_blank(question_)) return fail(ErrorCode::kInvalidInput, "the question is empty");
    if (explain_ && !runtime::makes_answering_form(invocation.config.policy))
        return fail(ErrorCode::kUsage, "--explain is of policies passages and lensnet; " +
                                           invocation.config.policy + " covers documents");
    MC_ASSIGN(const auto reader, reader_.server(process_environment()));
    if (reader) answer_options_.outside_reader = &*reader;
    MC_ASSIGN(const OpenBanks banks, open_banks(invocation));
    if (!macro_name_.empty()) {
        MC_ASSIGN(macro_, runtime::open_macro(*banks.engine, invocation.config.bank, macro_name_));
        answer_options_.instruction = &macro_->gists;
    }
    MC_ASSIGN(const runtime::QueryOptions options, options_for(invocation.config, banks));
    runtime::FocusSession focus(banks.all());
    MC_ASSIGN(const runtime::QueryReport report, focus.ask(question_, options));
    // What stands there when Ctrl-C comes is printed, and the exit code says that it is not all.
    const InterruptWatch watch;
    answer_options_.interrupted = &invocation.interrupted;
    MC_ASSIGN(const runtime::AnswerEnd reason, invocation.out.json()
                                                   ? print_json(invocation.out, focus, report)
                                                   : print_text(invocation.out, focus, report));
    return reason == runtime::AnswerEnd::kStopped ? static_cast<int>(ErrorCode::kCancelled) : 0;
}

}  // namespace

std::unique_ptr<Command> make_query_command() {
    return std::make_unique<QueryCommand>();
}

}  // namespace mc::apps
