// SPDX-License-Identifier: Apache-2.0
#include "serve/forms.h"

#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "core/span_math.h"
#include "runtime/redaction.h"
#include "runtime/remember_request.h"

namespace mc::serve {
namespace {

// What the program keeps for itself is nobody's to see.
Json metadata_json(const DocumentRecord& document) {
    Json shown = Json::object();
    for (const auto& [key, value] : document.metadata)
        if (!key.starts_with(runtime::kOwnMetadataPrefix)) shown[key] = value;
    return shown;
}

// "2026-03-01T… 12 tokens: reason" for each time that a part was forgotten.
Json forgotten_json(const DocumentRecord& document) {
    Json lines = Json::array();
    const auto kept = document.metadata.find(std::string(runtime::kForgottenKey));
    if (kept == document.metadata.end()) return lines;
    std::istringstream text(kept->second);
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

}  // namespace

std::string to_text(DocumentId document) {
    return "d" + std::to_string(document.value);
}

Json to_json(TokenSpan span) {
    return {{"begin", span.begin}, {"end", span.end}};
}

Json to_json(ByteSpan span) {
    return {{"begin", span.begin}, {"end", span.end}};
}

Json to_json(const runtime::DocumentPart& part) {
    return {{"bytes", to_json(part.bytes)}, {"tokens", to_json(part.tokens)}};
}

Json to_json(const DocumentRecord& document) {
    Json form{{"document", to_text(document.id)},
              {"source", document.source_name},
              {"media_type", document.media_type},
              {"created_us", document.created_us},
              {"updated_us", document.updated_us},
              {"tokens", document.token_count},
              {"bytes", document.byte_count},
              {"content_hash", to_hex(document.content_hash)},
              {"complete", document.complete},
              {"version", document.version},
              {"levels", levels_json(document.gist_end)},
              {"tail_tokens", document.token_count - tail_begin(document.token_count)},
              {"tokens_without_gists", tokens_without_gists(document)},
              {"metadata", metadata_json(document)}};
    if (is_superseded(document)) form["superseded_us"] = document.superseded_us;
    if (Json lines = forgotten_json(document); !lines.empty()) form["forgotten"] = std::move(lines);
    return form;
}

Json to_json(const runtime::Evidence& evidence, std::size_t rank) {
    return {{"rank", rank},
            {"bank", evidence.bank},
            {"document", to_text(evidence.document.id)},
            {"source", evidence.document.source_name},
            {"place", evidence.place.empty() ? Json(nullptr) : Json(evidence.place)},
            {"bytes", to_json(evidence.bytes)},
            {"tokens", to_json(evidence.tokens)},
            {"level", evidence.level ? Json(evidence.level->value) : Json(nullptr)},
            {"score", evidence.score},
            {"why", evidence.why},
            {"text", evidence.text},
            {"metadata", metadata_json(evidence.document)}};
}

Json to_json(const runtime::QueryReport& report) {
    Json evidence = Json::array();
    for (std::size_t i = 0; i < report.evidence.size(); ++i)
        evidence.push_back(to_json(report.evidence[i], i + 1));
    return {{"question", report.question},
            {"policy", report.policy},
            {"budget", report.budget},
            {"cost", report.cost},
            {"covered_tokens", report.covered_tokens},
            {"edits", report.edits},
            {"known", report.known},
            {"seconds_search", report.seconds_search},
            {"seconds_focus", report.seconds_focus},
            {"evidence", std::move(evidence)}};
}

Json to_json(const runtime::FocusSession::Considered& considered, std::size_t rank) {
    const RankedPassage& one = considered.ranked;
    const auto rank_or_null = [](std::size_t place) {
        return place == 0 ? Json(nullptr) : Json(place);
    };
    return {{"rank", rank},
            {"document", to_text(considered.document.id)},
            {"source", considered.document.source_name},
            {"tokens", to_json(one.passage.tokens)},
            {"read", is_read(one.choice)},
            {"choice", name_of(one.choice)},
            {"score", one.score},
            {"cosine", one.cosine},
            {"words", one.words},
            {"vectors_rank", rank_or_null(one.vectors_rank)},
            {"words_rank", rank_or_null(one.words_rank)},
            {"lead", one.lead.empty() ? Json(nullptr) : Json(one.lead)},
            {"gain", one.gain ? Json(*one.gain) : Json(nullptr)},
            {"gain_parts", one.gain ? Json(one.gain_parts) : Json(nullptr)},
            {"text", considered.text}};
}

Json to_json(const runtime::Answer& answer) {
    return {{"text", answer.text},
            {"sources", answer.sources},
            {"reader", answer.reader.empty() ? Json(nullptr) : Json(answer.reader)},
            {"prompt_entries", answer.prompt_entries},
            {"new_tokens", answer.new_tokens},
            {"stop_reason", runtime::name_of(answer.stop_reason)},
            {"seconds_to_first_token", answer.seconds_to_first_token},
            {"seconds", answer.seconds}};
}

Json levels_json(std::uint64_t gist_end) {
    Json levels = Json::array();
    for (std::uint8_t level = 1; level <= top_level(gist_end).value; ++level)
        levels.push_back({{"level", level}, {"nodes", node_count(gist_end, Level(level))}});
    return levels;
}

Json to_json(const runtime::BankSummary& summary) {
    return {{"bank", summary.bank.name},
            {"created_us", summary.bank.created_us},
            {"documents", summary.documents.size()},
            {"tokens", summary.token_count},
            {"tokens_without_gists", summary.tokens_without_gists},
            {"bytes", summary.byte_count}};
}

std::string_view outcome_name(runtime::IngestOutcome outcome) {
    switch (outcome) {
        case runtime::IngestOutcome::kIngested:
            return "ingested";
        case runtime::IngestOutcome::kResumed:
            return "resumed";
        case runtime::IngestOutcome::kExtended:
            return "extended";
        case runtime::IngestOutcome::kReplaced:
            return "replaced";
        case runtime::IngestOutcome::kAlreadyThere:
            return "already_there";
    }
    return "unknown";
}

}  // namespace mc::serve
