// SPDX-License-Identifier: Apache-2.0
// What every suite's results.json and table.md say in the same way. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/measure/bootstrap.h"
#include "eval/measure/document_plan.h"
#include "eval/measure/scorer.h"

namespace mc::eval {

// Six decimals, far below any interval; null where it is not finite.
nlohmann::ordered_json json_number(double value);
// Both ends.
nlohmann::ordered_json json_interval(const Estimate& estimate);
nlohmann::ordered_json json_encoders(const std::vector<EncoderInfo>& encoders);
nlohmann::ordered_json json_documents(std::span<const DocumentPlan> documents);
// What a suite's configuration begins with: the task, the model and the encoders.
nlohmann::ordered_json json_configuration(std::string_view task, int task_version,
                                          const ScorerFacts& facts);
// The commit of this build; null without git.
nlohmann::ordered_json json_build_commit();

// indent −1: one line.
std::string json_text(const nlohmann::ordered_json& json, int indent);

// "0.123", and "0.123 [0.100, 0.150]"; a dash where it is not finite.
std::string number_text(double value, int decimals);
std::string estimate_text(const Estimate& estimate, int decimals);

}  // namespace mc::eval
