// SPDX-License-Identifier: Apache-2.0
// What a run of `answers` writes besides its log: configuration, items, results, table, plots.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "eval/answers/answer_metrics.h"
#include "eval/answers/answer_run.h"
#include "eval/answers/sentence_pool.h"
#include "eval/report/plots.h"

namespace mc::eval {

// "4k", or "100 documents".
std::string length_label(std::string_view family, std::uint64_t length);

// Names and hashes of a pool's documents, for a run's configuration.
nlohmann::ordered_json json_documents(const SentencePool& pool);

// What decides whether a log may be continued. Rows, lengths and families are not in it: a later
// run may ask for others.
std::string answers_configuration(const AnswersOptions& options, const ScorerFacts& facts,
                                  const SentencePool& pool);

// A line of items.jsonl.
std::string item_line(const ItemSet& set, std::uint64_t length, std::size_t memory,
                      const PlacedItem& placed);

// Keys as lm-eval's: "accuracy,window:hybrid:1024" below "answers/single-fact/4k".
std::string answers_results(const AnswerFindings& findings, const std::string& configuration,
                            const std::string& command_line);

std::string answers_table(const AnswerFindings& findings, const ScorerFacts& facts,
                          const AnswersOptions& options);

// FAMILY-accuracy-by-length.svg, FAMILY-accuracy-by-budget.svg, and the same of exact.
std::vector<Plot> answers_plots(const AnswerFindings& findings);

}  // namespace mc::eval
