// SPDX-License-Identifier: Apache-2.0
#include "apps/repl/repl.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/repl/dot_command.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "apps/views/render.h"
#include "core/files.h"

namespace mc::apps {
namespace {

// A script that reads itself is to end with an error, not with the stack.
constexpr int kScriptDepthMax = 16;
constexpr std::uint64_t kScriptBytesMax = 16 << 20;

std::string_view first_word(std::string_view line) {
    return line.substr(0, line.find(' '));
}

tl::unexpected<Error> unknown_command(std::string_view name) {
    std::string message = "unknown command " + printable(name);
    for (const ReplCommand& command : repl_commands())
        if (command.name.starts_with(name.substr(0, 3)))
            return fail(ErrorCode::kUsage,
                        message + "; did you mean " + std::string(command.name) + "?");
    return fail(ErrorCode::kUsage, message + "; .help lists them");
}

}  // namespace

void Repl::Session::close() {
    focus.reset();
    bank.reset();
    engine.reset();
}

Result<Repl::Session> Repl::open_session(const Config& config, runtime::Need need) const {
    Session session;
    MC_ASSIGN(session.engine,
              runtime::Engine::open(config, need, runtime::Access::kRead, metrics_));
    MC_ASSIGN(session.bank, runtime::BankSession::open(*session.engine, config.bank, false));
    session.focus = std::make_unique<runtime::FocusSession>(*session.bank);
    MC_ASSIGN(session.opened_at, session.bank->nodes().last_commit());
    return session;
}

Result<void> Repl::open() {
    MC_ASSIGN(session_, open_session(config_, runtime::Need::kTokenizer));
    return {};
}

Result<void> Repl::reopen_bank(const std::string& name) {
    MC_ASSIGN(auto bank, runtime::BankSession::open(*session_.engine, name, false));
    session_.focus.reset();
    session_.bank = std::move(bank);
    session_.focus = std::make_unique<runtime::FocusSession>(*session_.bank);
    MC_ASSIGN(session_.opened_at, session_.bank->nodes().last_commit());
    config_.bank = name;
    last_report_.reset();
    return {};
}

Result<void> Repl::refresh() {
    MC_ASSIGN(const CommitNumber now, session_.bank->nodes().last_commit());
    if (now == session_.opened_at) return {};
    if (session_.focus->window() != nullptr || session_.focus->answer_window() != nullptr)
        out_.note("the store has changed; the working context starts anew");
    return reopen_bank(config_.bank);
}

Result<void> Repl::need_model() {
    if (session_.engine->has_model()) return {};
    // At most one Store per directory in a process: close first, and come back if that fails.
    session_.close();
    last_report_.reset();
    auto opened = open_session(config_, runtime::Need::kModel);
    if (opened) {
        session_ = std::move(*opened);
        return {};
    }
    MC_TRY(open());
    return fail(std::move(opened.error()));
}

Result<void> Repl::execute(std::string_view line) {
    if (talk_.console) return talk(line);
    const std::string text = trimmed(line);
    if (text.empty() || text.front() == '#') return {};
    const std::string_view name = text.front() == '.' ? first_word(text) : std::string_view();
    // After a store that could not be opened, and whose predecessor is gone too.
    if (!session_.bank && name != ".open" && name != ".quit" && name != ".exit") MC_TRY(open());
    if (name.empty()) return ask(text);
    const auto commands = repl_commands();
    const auto found = std::ranges::find(commands, name, &ReplCommand::name);
    if (found == commands.end()) return unknown_command(name);
    MC_ASSIGN(const std::string arguments, command_arguments(name, found->arguments, text));
    return (this->*found->run)(arguments);
}

Result<void> Repl::execute_file(const std::string& path) {
    if (script_depth_ >= kScriptDepthMax)
        return fail(ErrorCode::kUsage, "scripts read each other more than " +
                                           std::to_string(kScriptDepthMax) + " deep");
    MC_ASSIGN(const std::string content, read_file(path, kScriptBytesMax));
    ++script_depth_;
    std::size_t number = 0;
    Result<void> done;
    for (std::size_t at = 0; at < content.size() && done && !wants_quit_;) {
        const std::size_t end = std::min(content.find('\n', at), content.size());
        ++number;
        done = execute(std::string_view(content).substr(at, end - at));
        at = end + 1;
    }
    --script_depth_;
    if (!done)
        return fail(std::move(done.error()).add_context(path + ":" + std::to_string(number)));
    return {};
}

runtime::QueryOptions Repl::query_options() const {
    runtime::QueryOptions options;
    options.policy = config_.policy;
    options.budget = config_.budget_entries;
    options.seed = answer_options_.seed;
    return options;
}

Result<void> Repl::ask(const std::string& question) {
    MC_TRY(refresh());
    MC_TRY(need_model());
    MC_ASSIGN(last_report_, session_.focus->ask(question, query_options()));
    if (out_.json()) {
        Json line = to_json(*last_report_);
        line["answer"] = nullptr;
        if (answers_) MC_TRY(answer(&line));
        out_.json(line);
        return {};
    }
    out_.text(out_.faint(summary_of(*last_report_)));
    print_evidence(out_, last_report_->evidence);
    return answers_ ? answer(nullptr) : Result<void>();
}

// With `line`, the answer goes in there; else to the screen as it is written.
Result<void> Repl::answer(Json* line) {
    runtime::AnswerOptions options = answer_options_;
    // Ctrl-C stops the answer and not the session.
    const InterruptWatch watch;
    options.interrupted = &interrupt_flag();
    if (line == nullptr) {
        out_.text("");
        options.on_text = [this](std::string_view text) {
            out_.raw(printable(text));
            out_.flush();
            return true;
        };
    }
    MC_ASSIGN(const runtime::Answer answer, session_.focus->answer(options));
    if (line != nullptr) {
        (*line)["answer"] = to_json(answer);
        return {};
    }
    out_.text(source_marks(answer));
    out_.text(out_.faint(summary_of(answer)));
    return {};
}

void Repl::say(const char* key, const Json& value) {
    if (out_.json())
        out_.json({{key, value}});
    else
        out_.text(std::string(key) + " " +
                  (value.is_string() ? value.get<std::string>() : value.dump()));
}

}  // namespace mc::apps
