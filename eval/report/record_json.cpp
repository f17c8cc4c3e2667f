// SPDX-License-Identifier: Apache-2.0
#include "eval/report/record_json.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#ifndef MC_GIT_COMMIT
#define MC_GIT_COMMIT ""
#endif

namespace mc::eval {

using Json = nlohmann::ordered_json;

Json json_number(double value) {
    if (!std::isfinite(value)) return nullptr;
    return std::round(value * 1e6) / 1e6;
}

Json json_interval(const Estimate& estimate) {
    return {json_number(estimate.low), json_number(estimate.high)};
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
    const std::string commit = MC_GIT_COMMIT;
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
    std::string text = number_text(estimate.value, decimals);
    if (std::isfinite(estimate.low))
        text += " [" + number_text(estimate.low, decimals) + ", " +
                number_text(estimate.high, decimals) + "]";
    return text;
}

}  // namespace mc::eval
