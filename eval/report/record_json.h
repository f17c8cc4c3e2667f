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
nlohmann::ordered_json json_interval(const Interval& interval);
nlohmann::ordered_json json_encoders(const std::vector<EncoderInfo>& encoders);
nlohmann::ordered_json json_documents(std::span<const DocumentPlan> documents);
// What a suite's configuration begins with: the task, the model and the encoders.
nlohmann::ordered_json json_configuration(std::string_view task, int task_version,
                                          const ScorerFacts& facts);
// kBuildCommit (build_commit.h); null without git.
nlohmann::ordered_json json_build_commit();

// indent −1: one line.
std::string json_text(const nlohmann::ordered_json& json, int indent);

// "0.123", and "0.123 [0.100, 0.150]"; a dash where it is not finite.
std::string number_text(double value, int decimals);
std::string estimate_text(const Estimate& estimate, int decimals);
// "[0.100, 0.150]"; nothing where it is not finite.
std::string interval_text(const Interval& interval, int decimals);

// The label of a pool's second row of a condition, whose intervals are Estimate::within.
inline constexpr std::string_view kWithinLabel = "· windows within documents";

// What stands above a pool's tables: what its intervals say, and of how few documents.
std::string pool_note(std::size_t document_count);

}  // namespace mc::eval
