// SPDX-License-Identifier: Apache-2.0
#include "apps/views/render.h"

#include "apps/terminal/text.h"
#include "core/span_math.h"

namespace mc::apps {
namespace {

constexpr std::size_t kTextColumns = 96;
constexpr std::size_t kExcerptColumns = 2 * kTextColumns;
constexpr std::string_view kEvidenceIndent = "   ";

std::string title_of(const runtime::Evidence& evidence) {
    return to_text(evidence.document.id) + " " + printable(evidence.document.source_name) +
           (evidence.place.empty() ? "" : ", " + printable(evidence.place));
}

std::string details_of(const runtime::Evidence& evidence) {
    return "bytes " + format_range(evidence.bytes.begin, evidence.bytes.end) + "  tokens " +
           format_range(evidence.tokens.begin, evidence.tokens.end) + "  " +
           (evidence.level ? format_level(*evidence.level) : "left out") + "  score " +
           format_number(evidence.score) + (evidence.why.empty() ? "" : "  (" + evidence.why + ")");
}

// "score 0.79: cosine 0.61, words 0.36; words rank 1, vectors rank 3".
std::string numbers_of(const RankedPassage& one) {
    std::string numbers = "score " + format_number(one.score) + ": cosine " +
                          format_number(one.cosine) + ", words " + format_number(one.words);
    if (one.words_rank > 0) numbers += "; words rank " + std::to_string(one.words_rank);
    if (one.vectors_rank > 0) numbers += "; vectors rank " + std::to_string(one.vectors_rank);
    if (!one.lead.empty()) numbers += "; by the name " + printable(one.lead);
    if (one.gain) numbers += "; expected gain " + format_number(*one.gain) + " nats";
    if (!one.gain_parts.empty()) numbers += " (" + one.gain_parts + ")";
    return numbers;
}

}  // namespace

std::string levels_text(std::uint64_t gist_end) {
    std::string text;
    for (std::uint8_t level = 1; level <= top_level(gist_end).value; ++level)
        text += (text.empty() ? "L" : ", L") + std::to_string(level) + " " +
                format_count(node_count(gist_end, Level(level)));
    return text.empty() ? "-" : text;
}

std::string waiting_text(const DocumentRecord& document) {
    const std::uint64_t waiting = tokens_without_gists(document);
    return waiting == 0 ? std::string()
                        : ", " + format_count(waiting) + " tokens without gists yet";
}

std::map<std::string, std::size_t> versions_by_source(const std::vector<DocumentRecord>& versions) {
    std::map<std::string, std::size_t> counts;
    for (const DocumentRecord& version : versions) ++counts[version.source_name];
    return counts;
}

void print_documents(Output& out, const std::vector<DocumentRecord>& documents,
                     const std::vector<DocumentRecord>& versions) {
    const auto counts = versions_by_source(versions);
    const auto versions_text = [&](const DocumentRecord& document) {
        const auto kept = counts.find(document.source_name);
        if (kept == counts.end()) return std::string();
        return ", " + format_count(kept->second) + (kept->second == 1 ? " version" : " versions") +
               " kept";
    };
    using Align = Table::Align;
    Table table({{"document"},
                 {"source"},
                 {"tokens", Align::kRight},
                 {"bytes", Align::kRight},
                 {"nodes"},
                 {"tail", Align::kRight},
                 {"state"}});
    for (const DocumentRecord& document : documents)
        table.add_row({to_text(document.id), printable(document.source_name),
                       format_count(document.token_count), format_count(document.byte_count),
                       levels_text(document.gist_end),
                       std::to_string(document.token_count - tail_begin(document.token_count)),
                       (document.complete ? "complete" : "interrupted") + waiting_text(document) +
                           versions_text(document)});
    table.print(out);
}

std::string summary_of(const runtime::QueryReport& report) {
    return report.policy + ": " + format_count(report.cost) + " of " + format_count(report.budget) +
           " entries stand for " + format_count(report.covered_tokens) + " tokens; search " +
           format_seconds(report.seconds_search) + ", focus " +
           format_seconds(report.seconds_focus) +
           (report.known ? "" : "; not in the memory, as far as search can tell");
}

void print_evidence(Output& out, const std::vector<runtime::Evidence>& evidence, bool with_banks) {
    if (evidence.empty()) out.text("no evidence");
    for (std::size_t i = 0; i < evidence.size(); ++i) {
        const std::string bank = with_banks ? evidence[i].bank + " " : "";
        out.text(out.strong(std::to_string(i + 1) + ". " + bank + title_of(evidence[i])) + "  " +
                 out.faint(details_of(evidence[i])));
        out.text(wrapped(trimmed(evidence[i].text), kEvidenceIndent, kTextColumns));
    }
}

void print_considered(Output& out,
                      const std::vector<runtime::FocusSession::Considered>& considered) {
    if (considered.empty()) out.text("nothing was found");
    for (std::size_t i = 0; i < considered.size(); ++i) {
        const runtime::FocusSession::Considered& one = considered[i];
        const PassageChoice choice = one.ranked.choice;
        out.text(
            out.strong(std::to_string(i + 1) + ". " + (is_read(choice) ? "read" : "left out")) +
            ": " + std::string(reason_of(choice)) + "  " +
            out.faint(
                to_text(one.document.id) + " " + printable(one.document.source_name) + "  tokens " +
                format_range(one.ranked.passage.tokens.begin, one.ranked.passage.tokens.end)));
        out.text(std::string(kEvidenceIndent) + out.faint(numbers_of(one.ranked)));
        out.text(wrapped(excerpt(one.text, kExcerptColumns), kEvidenceIndent, kTextColumns));
    }
}

Json to_json(const std::vector<runtime::FocusSession::Considered>& considered) {
    Json list = Json::array();
    for (std::size_t i = 0; i < considered.size(); ++i)
        list.push_back(to_json(considered[i], i + 1));
    return list;
}

std::string source_marks(const runtime::Answer& answer) {
    std::string marks;
    for (const std::size_t rank : answer.sources) marks += "[" + std::to_string(rank) + "]";
    return marks.empty() ? marks : " " + marks;
}

std::string summary_of(const runtime::Answer& answer) {
    if (answer.stop_reason == runtime::AnswerEnd::kUnknown) return "the model was not asked";
    if (!answer.reader.empty())
        return "by " + printable(answer.reader) + ", which was given the passages above, in " +
               format_seconds(answer.seconds) +
               (answer.sources.empty() ? "; its words are in no passage" : "");
    return format_count(answer.new_tokens) + " tokens in " + format_seconds(answer.seconds) +
           ", the first after " + format_seconds(answer.seconds_to_first_token) + ", read from " +
           format_count(answer.prompt_entries) + " entries" +
           (answer.stop_reason == runtime::AnswerEnd::kStopped ? "; stopped"
            : answer.stop_reason == runtime::AnswerEnd::kLoop  ? "; a repetition is cut off"
            : answer.sources.empty()                           ? "; its words are in no passage"
                                                               : "");
}

}  // namespace mc::apps
