// SPDX-License-Identifier: Apache-2.0
// `megacontext repair`: what is whole in a damaged store, in another one.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "apps/views/render.h"
#include "runtime/repair.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext --store damaged repair --into saved\n"
    "  megacontext --store saved verify\n"
    "The damaged store is only read. Every document whose tokens are all there and whose text has\n"
    "its hash goes into the other store; one whose record is lost goes there as recovered/d7. "
    "What\n"
    "is lost is said, with its bytes where they are known, and makes the exit code 5. Nobody may\n"
    "write the damaged store meanwhile. The same command goes on after an interruption.";

class RepairCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app = program.add_subcommand(
            "repair", "Save what is whole in a damaged store into another one");
        app->add_option("--into", target_, "folder of the other store")
            ->type_name("DIR")
            ->required();
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    std::string target_;
};

// "bytes 4096:8192 (tokens 1024:2048)".
std::string spans_text(const runtime::LostDocument& document) {
    std::string text;
    for (const storage::LostSpan& span : document.spans) {
        text += text.empty() ? ": " : ", ";
        if (span.bytes.count() > 0)
            text += "bytes " + format_range(span.bytes.begin, span.bytes.end) + " of " +
                    format_count(document.byte_count) + ", ";
        text += "tokens " + format_range(span.tokens.begin, span.tokens.end);
    }
    return text;
}

Json spans_json(const runtime::LostDocument& document) {
    Json spans = Json::array();
    for (const storage::LostSpan& span : document.spans)
        spans.push_back(
            {{"bytes", span.bytes.count() > 0 ? Json(to_json(span.bytes)) : Json(nullptr)},
             {"tokens", {{"begin", span.tokens.begin}, {"end", span.tokens.end}}}});
    return spans;
}

// What a tombstone forbids to bring back is known only where the tombstone can be read. Empty where
// all of them could be.
std::string forgotten_note(const runtime::RepairReport& report, const std::string& target) {
    if (report.scan.trees_are_whole) return {};
    return "some of the damaged file cannot be followed, tombstones may lie there, and a document "
           "that was forgotten without --purge may be back: look through `megacontext --store " +
           target + " bank info`, and forget it again with `megacontext --store " + target +
           " forget NAME --purge`";
}

void print_json(Output& out, const runtime::RepairReport& report, const std::string& target) {
    const std::string note = forgotten_note(report, target);
    Json saved = Json::array();
    for (const runtime::SavedDocument& document : report.saved)
        saved.push_back({{"bank", document.bank},
                         {"document", to_text(document.record.id)},
                         {"was", to_text(document.old_id)},
                         {"source", document.record.source_name},
                         {"bytes", document.record.byte_count},
                         {"nameless", document.is_nameless},
                         {"original_lost", document.original_is_lost},
                         {"encoded_anew", document.encoded_anew}});
    Json lost = Json::array();
    for (const runtime::LostDocument& document : report.lost)
        lost.push_back({{"bank", document.bank},
                        {"was", to_text(document.id)},
                        {"source", document.source_name},
                        {"bytes", document.byte_count},
                        {"reason", document.reason},
                        {"spans", spans_json(document)}});
    out.json({{"store", target},
              {"trees_are_whole", report.scan.trees_are_whole},
              {"records", report.scan.records},
              {"damaged_records", report.scan.damaged_records},
              {"saved", saved},
              {"lost", lost},
              {"note", note.empty() ? Json(nullptr) : Json(note)},
              {"reason", report.why_encoded.empty() ? Json(nullptr) : Json(report.why_encoded)}});
}

void print_text(Output& out, const runtime::RepairReport& report, const std::string& target) {
    for (const runtime::SavedDocument& document : report.saved)
        out.text(out.strong("saved") + "  bank " + document.bank + "  " +
                 to_text(document.record.id) + "  " + printable(document.record.source_name) +
                 "  " + format_count(document.record.byte_count) + " bytes" +
                 (document.is_nameless ? ", its record and with it its name is lost" : "") +
                 (document.original_is_lost ? ", what it was converted from is lost" : "") +
                 (document.encoded_anew ? ", gists encoded anew" : ""));
    for (const runtime::LostDocument& document : report.lost)
        out.text(out.strong("lost") + "  bank " + document.bank + "  " + to_text(document.id) +
                 "  " + printable(document.source_name) + "  " + document.reason +
                 spans_text(document));
    if (!report.why_encoded.empty())
        out.text("gists encoded anew: " + printable(report.why_encoded));
    out.text(format_count(report.saved.size()) + " documents in " + printable(target) + ", " +
             format_count(report.lost.size()) + " lost; " + format_count(report.scan.records) +
             " sound records read, " + format_count(report.scan.damaged_records) + " damaged");
    if (const std::string note = forgotten_note(report, target); !note.empty())
        out.text("note: " + printable(note));
}

Result<int> RepairCommand::run(Invocation& invocation) {
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin("repair");
    runtime::RepairOptions options;
    options.cancelled = &invocation.interrupted;
    options.progress = [&](std::size_t done, std::size_t total) {
        bar.update(done, static_cast<double>(done) / static_cast<double>(total));
    };
    MC_ASSIGN(const auto report,
              runtime::repair_store(invocation.config, target_, invocation.metrics, options));
    bar.clear();
    if (invocation.out.json())
        print_json(invocation.out, report, target_);
    else
        print_text(invocation.out, report, target_);
    const auto in_part = static_cast<std::size_t>(
        std::ranges::count_if(report.saved, [](const runtime::SavedDocument& document) {
            return document.is_nameless || document.original_is_lost;
        }));
    if (report.lost.empty() && in_part == 0) return 0;
    return fail(ErrorCode::kCorruption,
                std::to_string(report.lost.size()) +
                    " documents of the damaged store are lost and " + std::to_string(in_part) +
                    " have lost their name or original; what is saved is in " + target_);
}

}  // namespace

std::unique_ptr<Command> make_repair_command() {
    return std::make_unique<RepairCommand>();
}

}  // namespace mc::apps
