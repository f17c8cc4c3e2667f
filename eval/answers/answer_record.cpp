// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/answer_record.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "eval/report/record_json.h"

namespace mc::eval {
namespace {

using Json = nlohmann::ordered_json;

bool is_word_byte(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || (static_cast<unsigned>(c) & 0x80U);
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

// Spans may hold a value together, as two neighbouring blocks do.
bool is_held(std::span<const FoundSpan> found, const PlacedFact& fact) {
    for (std::uint64_t token = fact.value.begin; token < fact.value.end; ++token) {
        const bool held = std::ranges::any_of(found, [&](const FoundSpan& span) {
            return span.document == fact.document &&
                   span.tokens.contains(TokenSpan{token, token + 1});
        });
        if (!held) return false;
    }
    return true;
}

}  // namespace

bool AnswerRecord::is_right() const {
    return margin() > 0;
}

double AnswerRecord::margin() const {
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < nll.size(); ++i)
        if (i != right) best = std::min(best, nll[i]);
    return best - nll.at(right);
}

std::string to_line(const AnswerRecord& record) {
    Json json;
    json["family"] = record.family;
    json["task"] = record.task;
    json["length"] = record.length;
    json["item"] = record.item;
    json["row"] = record.row;
    json["fits"] = record.fits;
    if (!record.fits) return json_text(json, -1);
    for (const double nll : record.nll) json["nll"].push_back(json_number(nll));
    json["right"] = record.right;
    json["written"] = record.written;
    json["exact"] = record.exact;
    json["abstained"] = record.abstained;
    json["entries"] = record.entries;
    if (record.looked) {
        json["held@1"] = record.held_at_1;
        json["held@5"] = record.held_at_5;
    }
    json["search_ms"] = json_number(record.search_ms);
    json["prompt_ms"] = json_number(record.prompt_ms);
    json["first_token_ms"] = json_number(record.first_token_ms);
    return json_text(json, -1);
}

Result<AnswerRecord> parse_answer_record(std::string_view line) {
    const Json json = Json::parse(line, nullptr, false);
    AnswerRecord record;
    // One fence: every member must be there and of its type.
    try {
        record.family = json.at("family");
        record.task = json.at("task");
        record.length = json.at("length");
        record.item = json.at("item");
        record.row = json.at("row");
        record.fits = json.at("fits");
        if (!record.fits) return record;
        record.nll = json.at("nll").get<std::vector<double>>();
        record.right = json.at("right");
        record.written = json.at("written");
        record.exact = json.at("exact");
        record.abstained = json.at("abstained");
        record.entries = json.at("entries");
        record.looked = json.contains("held@1");
        if (record.looked) {
            record.held_at_1 = json.at("held@1");
            record.held_at_5 = json.at("held@5");
        }
        record.search_ms = json.at("search_ms");
        record.prompt_ms = json.at("prompt_ms");
        record.first_token_ms = json.at("first_token_ms");
    } catch (const Json::exception& error) {
        return fail(ErrorCode::kCorruption, std::string("not a reading: ") + error.what());
    }
    if (record.right >= record.nll.size() || record.nll.size() < 2)
        return fail(ErrorCode::kCorruption, "not a reading: candidates are missing");
    return record;
}

bool holds_text(std::string_view written, std::string_view value) {
    const std::string text = lower(written);
    const std::string wanted = lower(value);
    for (std::size_t at = text.find(wanted); at != std::string::npos;
         at = text.find(wanted, at + 1)) {
        const std::size_t end = at + wanted.size();
        const bool begins = at == 0 || !is_word_byte(text[at - 1]);
        const bool ends = end == text.size() || !is_word_byte(text[end]);
        if (begins && ends) return true;
    }
    return false;
}

bool hold_facts(std::span<const FoundSpan> found, std::size_t count,
                std::span<const PlacedFact> facts) {
    const auto best = found.first(std::min(count, found.size()));
    return std::ranges::all_of(facts, [&](const PlacedFact& fact) { return is_held(best, fact); });
}

}  // namespace mc::eval
