// SPDX-License-Identifier: Apache-2.0
#include "lensnet/labelled_question.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "formats/json_text.h"

namespace mc::lensnet {
namespace {

using Json = nlohmann::ordered_json;

// Six decimals: far below what a reading repeats to.
double rounded(double value) {
    return std::round(value * 1e6) / 1e6;
}

Json json_of(const LabelledCandidate& candidate) {
    Json signals;
    for (std::size_t s = 0; s < kSignalCount; ++s)
        signals[std::string(kSignalNames[s])] = rounded(candidate.signals[static_cast<Signal>(s)]);
    return {{"document", candidate.document},  {"begin", candidate.tokens.begin},
            {"end", candidate.tokens.end},     {"holds_fact", candidate.holds_fact},
            {"gain", rounded(candidate.gain)}, {"gist_gain", rounded(candidate.gist_gain)},
            {"signals", std::move(signals)}};
}

Result<double> finite(const lm::JsonFields& fields, std::string_view key) {
    MC_ASSIGN(const double value, fields.get_float(key));
    if (!std::isfinite(value)) return fail(fields.error(key, "is not finite"));
    return value;
}

Result<LabelledCandidate> parse_candidate(const lm::JsonFields& fields) {
    LabelledCandidate candidate;
    MC_ASSIGN(candidate.document, fields.get_uint("document"));
    MC_ASSIGN(candidate.tokens.begin, fields.get_uint("begin"));
    MC_ASSIGN(candidate.tokens.end, fields.get_uint("end"));
    MC_ASSIGN(candidate.holds_fact, fields.get_bool_or("holds_fact", false));
    MC_ASSIGN(candidate.gain, finite(fields, "gain"));
    MC_ASSIGN(candidate.gist_gain, finite(fields, "gist_gain"));
    MC_ASSIGN(const lm::JsonFields signals, fields.get_object("signals"));
    for (std::size_t s = 0; s < kSignalCount; ++s) {
        MC_ASSIGN(candidate.signals[static_cast<Signal>(s)], finite(signals, kSignalNames[s]));
    }
    return candidate;
}

Result<SubsetReading> parse_reading(const lm::JsonFields& fields, std::size_t candidate_count) {
    SubsetReading reading;
    MC_ASSIGN(reading.likelihood, finite(fields, "likelihood"));
    const nlohmann::json* const shown = fields.find("shown");
    if (shown == nullptr || !shown->is_array()) return fail(fields.error("shown", "is not a list"));
    for (const auto& index : *shown) {
        const bool follows = index.is_number_unsigned() && index < candidate_count &&
                             (reading.shown.empty() || index > reading.shown.back());
        if (!follows)
            return fail(fields.error("shown", "does not count up through the candidates"));
        reading.shown.push_back(index.get<std::size_t>());
    }
    return reading;
}

Result<LabelledQuestion> parse(std::string_view line) {
    MC_ASSIGN(const nlohmann::json json, lm::parse_json(line, "labels"));
    MC_ASSIGN(const lm::JsonFields fields, lm::JsonFields::of(json, "labels"));
    LabelledQuestion question;
    MC_ASSIGN(question.family, fields.get_string("family"));
    MC_ASSIGN(question.task, fields.get_string("task"));
    MC_ASSIGN(question.length, fields.get_uint("length"));
    MC_ASSIGN(question.item, fields.get_uint("item"));
    MC_ASSIGN(question.question, fields.get_string("question"));
    MC_ASSIGN(question.is_told, fields.get_bool_or("is_told", false));
    MC_ASSIGN(question.reliability, finite(fields, "reliability"));
    MC_ASSIGN(const auto candidates, fields.get_objects("candidates"));
    for (const lm::JsonFields& one : candidates) {
        MC_ASSIGN(auto candidate, parse_candidate(one));
        question.candidates.push_back(std::move(candidate));
    }
    MC_ASSIGN(const auto readings, fields.get_objects("readings"));
    for (const lm::JsonFields& one : readings) {
        MC_ASSIGN(auto reading, parse_reading(one, question.candidates.size()));
        question.readings.push_back(std::move(reading));
    }
    return question;
}

}  // namespace

std::vector<Signals> LabelledQuestion::signals(std::span<const Signal> without) const {
    std::vector<Signals> out;
    for (const LabelledCandidate& one : candidates) {
        out.push_back(one.signals);
        for (const Signal signal : without) out.back()[signal] = 0;
    }
    return out;
}

std::string to_line(const LabelledQuestion& question) {
    Json candidates = Json::array();
    for (const LabelledCandidate& one : question.candidates) candidates.push_back(json_of(one));
    Json readings = Json::array();
    for (const SubsetReading& one : question.readings)
        readings.push_back({{"shown", one.shown}, {"likelihood", rounded(one.likelihood)}});
    const Json json = {{"family", question.family},
                       {"task", question.task},
                       {"length", question.length},
                       {"item", question.item},
                       {"question", question.question},
                       {"is_told", question.is_told},
                       {"reliability", rounded(question.reliability)},
                       {"candidates", std::move(candidates)},
                       {"readings", std::move(readings)}};
    return json.dump();
}

Result<LabelledQuestion> parse_labelled_question(std::string_view line) {
    auto question = parse(line);
    if (!question) return fail(ErrorCode::kCorruption, question.error().to_string());
    return question;
}

}  // namespace mc::lensnet
