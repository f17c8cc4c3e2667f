// SPDX-License-Identifier: Apache-2.0
// The dot-commands: each one prints text or one JSON line.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "apps/repl/repl.h"
#include "apps/terminal/text.h"
#include "apps/views/answer_settings.h"
#include "apps/views/bank_summary.h"
#include "apps/views/render.h"
#include "apps/views/tree_view.h"
#include "core/span_math.h"
#include "working_context/policies.h"

namespace mc::apps {
namespace {

constexpr std::array kCommands{
    ReplCommand{".help", "[COMMAND]", "what the commands do", &Repl::do_help},
    ReplCommand{".open", "DIR", "open another store", &Repl::do_open},
    ReplCommand{".banks", "", "the banks of the store", &Repl::do_banks},
    ReplCommand{".bank", "[NAME]", "the bank in use, or use another", &Repl::do_bank},
    ReplCommand{".docs", "", "the documents of the bank", &Repl::do_docs},
    ReplCommand{".tree", "DOCUMENT", "levels, nodes and tail of a document", &Repl::do_tree},
    ReplCommand{".node", "NODE", "one node, such as d1/L2/0: span, text, statistics, use",
                &Repl::do_node},
    ReplCommand{".text", "NODE | DOCUMENT [A:B]", "the text of a node, or of tokens A to B",
                &Repl::do_text},
    ReplCommand{".search", "TEXT", "ranked passages; the working context stays as it is",
                &Repl::do_search},
    ReplCommand{".expand", "NODE", "replace a gist by its 32 children", &Repl::do_expand},
    ReplCommand{".collapse", "NODE", "replace 32 children by their gist", &Repl::do_collapse},
    ReplCommand{".window", "", "the working context: which stretch is read at which level",
                &Repl::do_window},
    ReplCommand{".why", "", "why each passage that was found is read or left out", &Repl::do_why},
    ReplCommand{".policy", "[NAME]", "how questions choose what to expand", &Repl::do_policy},
    ReplCommand{".budget", "[N]", "entries of the working context", &Repl::do_budget},
    ReplCommand{".answer", "[on|off]", "whether the base model answers questions",
                &Repl::do_answer},
    ReplCommand{".set", "[NAME VALUE]",
                "how answers are written: temperature, top-p, seed, max-tokens, stop …",
                &Repl::do_set},
    ReplCommand{".chat", "[NAME]", "a conversation, until .quit", &Repl::do_chat},
    ReplCommand{".stats", "", "the store, the last question, and what this session has counted",
                &Repl::do_stats},
    ReplCommand{".mode", "[text|json]", "form of the results", &Repl::do_mode},
    ReplCommand{".read", "FILE", "run the lines of a file", &Repl::do_read},
    ReplCommand{".quit", "", "leave", &Repl::do_quit},
    ReplCommand{".exit", "", "leave", &Repl::do_quit},
};

tl::unexpected<Error> usage(std::string message) {
    return fail(ErrorCode::kUsage, std::move(message));
}

}  // namespace

std::span<const ReplCommand> repl_commands() {
    return kCommands;
}

Result<void> Repl::do_help(std::string_view arguments) {
    Table table({{"command"}, {"does"}});
    Json list = Json::array();
    std::string wanted(arguments);
    if (!wanted.empty() && wanted.front() != '.') wanted.insert(0, ".");
    for (const ReplCommand& command : kCommands) {
        if (!wanted.empty() && command.name != wanted) continue;
        list.push_back(
            {{"command", command.name}, {"arguments", command.arguments}, {"help", command.help}});
        table.add_row({trimmed(std::string(command.name) + " " + std::string(command.arguments)),
                       std::string(command.help)});
    }
    if (list.empty()) return usage("there is no command " + printable(wanted));
    if (out_.json()) {
        out_.json({{"commands", list}});
        return {};
    }
    table.print(out_);
    if (wanted.empty()) out_.text("Anything else is a question.");
    return {};
}

Result<void> Repl::do_open(std::string_view arguments) {
    Config config = config_;
    config.store = std::string(arguments);
    // At most one Store per directory in a process, and it may be the same directory.
    session_.close();
    last_report_.reset();
    auto opened = open_session(config, runtime::Need::kTokenizer);
    if (!opened) {
        MC_TRY(open());
        return fail(std::move(opened.error()));
    }
    session_ = std::move(*opened);
    config_ = std::move(config);
    say("store", config_.store.string());
    return {};
}

Result<void> Repl::do_banks(std::string_view) {
    MC_ASSIGN(const auto summaries, runtime::summarize_banks(session_.engine->store()));
    if (!out_.json()) {
        print_banks(out_, summaries);
        return {};
    }
    Json banks = Json::array();
    for (const runtime::BankSummary& summary : summaries) banks.push_back(to_json(summary));
    out_.json({{"banks", banks}});
    return {};
}

Result<void> Repl::do_bank(std::string_view arguments) {
    if (!arguments.empty()) MC_TRY(reopen_bank(std::string(arguments)));
    say("bank", config_.bank);
    return {};
}

Result<void> Repl::do_docs(std::string_view) {
    MC_TRY(refresh());
    MC_ASSIGN(const auto documents, session_.bank->nodes().list_documents());
    if (!out_.json()) {
        MC_ASSIGN(const auto versions, session_.bank->nodes().list_versions());
        print_documents(out_, documents, versions);
        return {};
    }
    Json list = Json::array();
    for (const DocumentRecord& document : documents) list.push_back(to_json(document));
    out_.json({{"documents", list}});
    return {};
}

Result<void> Repl::do_tree(std::string_view arguments) {
    MC_TRY(refresh());
    MC_ASSIGN(const auto document, session_.bank->text().resolve_document(arguments));
    if (out_.json())
        out_.json(to_json(document));
    else
        print_tree(out_, document);
    return {};
}

Result<void> Repl::do_node(std::string_view arguments) {
    MC_TRY(refresh());
    MC_ASSIGN(const NodeId node, parse_node(arguments));
    MC_ASSIGN(const NodeView view, view_node(session_.bank->text(), node));
    if (out_.json())
        out_.json(to_json(view));
    else
        print_node(out_, view);
    return {};
}

Result<void> Repl::do_text(std::string_view arguments) {
    MC_TRY(refresh());
    DocumentRecord document;
    TokenSpan span;
    if (const auto node = parse_node(arguments)) {
        MC_ASSIGN(const NodeView view, view_node(session_.bank->text(), *node));
        document = view.document;
        span = view.tokens;
    } else {
        const std::size_t space = arguments.rfind(' ');
        const bool has_range =
            space != std::string_view::npos && arguments.find(':', space) != std::string_view::npos;
        MC_ASSIGN(document,
                  session_.bank->text().resolve_document(
                      has_range ? trimmed(arguments.substr(0, space)) : std::string(arguments)));
        span = {0, document.token_count};
        if (has_range) {
            MC_ASSIGN(const OpenRange range, parse_range(arguments.substr(space + 1)));
            span = {range.begin, range.end.value_or(document.token_count)};
        }
        if (span.begin > span.end || span.end > document.token_count)
            return fail(ErrorCode::kInvalidInput,
                        to_text(document.id) +
                            " has tokens 0:" + std::to_string(document.token_count) +
                            ", asked for " + format_range(span.begin, span.end));
    }
    MC_ASSIGN(const std::string text, session_.bank->text().read_text(document.id, span));
    if (out_.json())
        out_.json({{"document", to_text(document.id)}, {"tokens", to_json(span)}, {"text", text}});
    else
        out_.text(printable(text));
    return {};
}

Result<void> Repl::do_search(std::string_view arguments) {
    MC_TRY(refresh());
    MC_TRY(need_model());
    runtime::QueryOptions options = query_options();
    if (options.policy != "bm25" && options.policy != "cosine") options.policy = "hybrid";
    MC_ASSIGN(const auto found, session_.focus->search(std::string(arguments), options));
    if (!out_.json()) {
        print_evidence(out_, found);
        return {};
    }
    Json list = Json::array();
    for (std::size_t i = 0; i < found.size(); ++i) list.push_back(to_json(found[i], i + 1));
    out_.json({{"search", options.policy}, {"evidence", list}});
    return {};
}

Result<void> Repl::do_policy(std::string_view arguments) {
    if (!arguments.empty()) {
        if (!runtime::makes_answering_form(arguments)) MC_TRY(make_policy(arguments));
        config_.policy = std::string(arguments);
    }
    say("policy", config_.policy);
    return {};
}

Result<void> Repl::do_budget(std::string_view arguments) {
    if (!arguments.empty()) {
        MC_ASSIGN(const std::uint64_t budget, parse_count(arguments));
        const SettingInfo& limits = setting_info(Setting::kBudget);
        if (budget < limits.minimum || budget > limits.maximum)
            return usage("a budget has from " + std::to_string(limits.minimum) + " to " +
                         std::to_string(limits.maximum) + " entries");
        config_.budget_entries = budget;
    }
    say("budget", config_.budget_entries);
    return {};
}

Result<void> Repl::do_answer(std::string_view arguments) {
    if (!arguments.empty() && arguments != "on" && arguments != "off")
        return usage("usage: .answer [on|off]");
    if (!arguments.empty()) answers_ = arguments == "on";
    say("answer", answers_ ? "on" : "off");
    return {};
}

Result<void> Repl::do_set(std::string_view arguments) {
    if (!arguments.empty()) {
        const std::size_t space = std::min(arguments.find(' '), arguments.size());
        const std::string_view name = arguments.substr(0, space);
        std::string value = trimmed(arguments.substr(space));
        if (value.empty() && name != "stop") return usage("usage: .set [NAME VALUE]");
        // A line cannot hold the line's end that many a stop string is.
        for (std::size_t at = 0; (at = value.find("\\n", at)) != std::string::npos;)
            value.replace(at, 2, "\n");
        MC_TRY(set_answer_setting(answer_options_, name, value));
    }
    const Json settings = answer_settings_json(answer_options_);
    if (out_.json()) {
        out_.json(settings);
        return {};
    }
    for (const auto& [name, value] : settings.items())
        if (arguments.empty() || arguments.starts_with(name)) say(name.c_str(), value);
    return {};
}

Result<void> Repl::do_mode(std::string_view arguments) {
    if (!arguments.empty() && arguments != "text" && arguments != "json")
        return usage("usage: .mode [text|json]");
    if (!arguments.empty()) out_.set_json(arguments == "json");
    say("mode", out_.json() ? "json" : "text");
    return {};
}

Result<void> Repl::do_read(std::string_view arguments) {
    return execute_file(std::string(arguments));
}

Result<void> Repl::do_quit(std::string_view) {
    wants_quit_ = true;
    return {};
}

}  // namespace mc::apps
