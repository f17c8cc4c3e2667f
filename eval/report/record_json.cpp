// SPDX-License-Identifier: Apache-2.0
#include "eval/report/record_json.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "eval/report/build_commit.h"

namespace mc::eval {

using Json = nlohmann::ordered_json;

// A percentile interval of a handful of units is too narrow: with four, only 35 different draws.
constexpr std::size_t kFewDocuments = 10;

Json json_number(double value) {
    if (!std::isfinite(value)) return nullptr;
    return std::round(value * 1e6) / 1e6;
}

Json json_interval(const Interval& interval) {
    return {json_number(interval.low), json_number(interval.high)};
}

Json json_encoders(const std::vector<EncoderInfo>& encoders) {
    Json list = Json::array();
    for (const EncoderInfo& info : encoders) {
        Json encoder;
        encoder["name"] = info.name;
        encoder["hash"] = to_hex(info.hash);
        list.push_back(std::move(encoder));
    }
    return list;
}

Json json_configuration(std::string_view task, int task_version, const ScorerFacts& facts) {
    Json configuration;
    configuration["task"] = task;
    configuration["task_version"] = task_version;
    configuration["model"] = facts.model_name;
    configuration["model_hash"] = to_hex(facts.model_hash);
    configuration["tokenizer_hash"] = to_hex(facts.tokenizer_hash);
    configuration["device"] = facts.device;
    configuration["encoders"] = json_encoders(facts.encoders);
    return configuration;
}

Json json_documents(std::span<const DocumentPlan> documents) {
    Json list = Json::array();
    for (const DocumentPlan& plan : documents) {
        Json document;
        document["name"] = plan.name;
        document["hash"] = to_hex(plan.content_hash);
        document["tokens"] = plan.tokens.size();
        list.push_back(std::move(document));
    }
    return list;
}

Json json_build_commit() {
    const std::string commit = kBuildCommit;
    return commit.empty() ? Json() : Json(commit);
}

std::string json_text(const Json& json, int indent) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string number_text(double value, int decimals) {
    if (!std::isfinite(value)) return "–";
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

std::string estimate_text(const Estimate& estimate, int decimals) {
    const std::string interval = interval_text(estimate, decimals);
    return number_text(estimate.value, decimals) + (interval.empty() ? "" : " " + interval);
}

std::string interval_text(const Interval& interval, int decimals) {
    if (!std::isfinite(interval.low)) return "";
    return "[" + number_text(interval.low, decimals) + ", " + number_text(interval.high, decimals) +
           "]";
}

std::string pool_note(std::size_t document_count) {
    const std::string documents = std::to_string(document_count) + " documents";
    const std::string over =
        document_count < kPooledIntervalDocumentsMin
            ? "There is no interval over " + documents + ": too few. "
            : "Intervals resample the " + documents +
                  (document_count < kFewDocuments ? ", few to judge other documents by. " : ". ");
    return over +
           "The second row of a condition resamples windows within these documents and says "
           "nothing of others.\n\n";
}

}  // namespace mc::eval
