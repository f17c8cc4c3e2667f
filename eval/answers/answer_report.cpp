// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/answer_report.h"

#include <nlohmann/json.hpp>

#include "eval/answers/families.h"
#include "eval/report/record_json.h"

namespace mc::eval {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kTask = "answers";
constexpr int kTaskVersion = 1;

Json json_span(TokenSpan span) {
    return {span.begin, span.end};
}

void add_score(Json& json, const std::string& name, const std::string& row,
               const ScoreEstimate& score) {
    json[name + "," + row] = json_number(score.value.value);
    json[name + "_ci95," + row] = json_interval(score.value);
    json[name + "_items," + row] = score.items;
    json[name + "_less_plain," + row] = json_number(score.less_plain.value);
    json[name + "_less_plain_ci95," + row] = json_interval(score.less_plain);
}

Json json_cell(const CellScores& cell) {
    Json json;
    json["length"] = cell.length;
    json["chance"] = json_number(cell.chance);
    json["best_plain_accuracy"] = cell.best_plain_accuracy;
    json["best_plain_exact"] = cell.best_plain_exact;
    for (const RowScores& scores : cell.rows) {
        const std::string row = name_of(scores.row);
        add_score(json, "accuracy", row, scores.accuracy);
        add_score(json, "exact", row, scores.exact);
        json["margin," + row] = json_number(scores.margin);
        json["abstained," + row] = json_number(scores.abstained);
        json["recall@1," + row] = json_number(scores.recall_at_1.value);
        json["recall@1_ci95," + row] = json_interval(scores.recall_at_1);
        json["recall@5," + row] = json_number(scores.recall_at_5.value);
        json["recall@5_ci95," + row] = json_interval(scores.recall_at_5);
        json["entries," + row] = json_number(scores.entries);
        json["search_ms," + row] = json_number(scores.search_ms);
        json["prompt_ms," + row] = json_number(scores.prompt_ms);
        json["first_token_ms," + row] = json_number(scores.first_token_ms);
        json["readings," + row] = scores.readings;
    }
    return json;
}

}  // namespace

std::string length_label(std::string_view family, std::uint64_t length) {
    if (family == kOneSentence) return std::to_string(length) + " documents";
    if (length % 1'000'000 == 0) return std::to_string(length / 1'000'000) + "M";
    if (length % 1'000 == 0) return std::to_string(length / 1'000) + "k";
    return std::to_string(length);
}

Json json_documents(const SentencePool& pool) {
    Json documents = Json::array();
    for (std::size_t d = 0; d < pool.document_names.size(); ++d)
        documents.push_back(
            {{"name", pool.document_names[d]}, {"hash", to_hex(pool.document_hashes[d])}});
    return documents;
}

std::string answers_configuration(const AnswersOptions& options, const ScorerFacts& facts,
                                  const SentencePool& pool) {
    Json json = json_configuration(kTask, kTaskVersion, facts);
    json["seed"] = options.seed;
    json["items"] = options.items;
    json["documents"] = json_documents(pool);
    return json_text(json, -1);
}

std::string item_line(const ItemSet& set, std::uint64_t length, std::size_t memory,
                      const PlacedItem& placed) {
    const AnswerItem& item = set.items[placed.item];
    Json json;
    json["family"] = set.family;
    json["task"] = item.task;
    json["length"] = length;
    json["item"] = placed.item;
    json["memory"] = memory;
    if (placed.document) json["document"] = *placed.document;
    json["place"] = name_of(item.place);
    json["question"] = item.question;
    json["lead"] = item.lead;
    json["candidates"] = item.candidates;
    json["right"] = item.right;
    json["facts"] = Json::array();
    for (std::size_t f = 0; f < placed.facts.size(); ++f)
        json["facts"].push_back({{"text", item.facts[f].text},
                                 {"document", placed.facts[f].document},
                                 {"tokens", json_span(placed.facts[f].fact)},
                                 {"value_tokens", json_span(placed.facts[f].value)}});
    return json_text(json, -1);
}

std::string answers_results(const AnswerFindings& findings, const std::string& configuration,
                            const std::string& command_line) {
    Json json;
    for (const CellScores& cell : findings.cells)
        json["results"]["answers/" + cell.family + "/" + length_label(cell.family, cell.length)] =
            json_cell(cell);
    json["tasks"] = Json::array();
    for (const TaskScores& task : findings.tasks)
        json["tasks"].push_back({{"family", task.family},
                                 {"task", task.task},
                                 {"items", task.items},
                                 {"fact_accuracy", json_number(task.accuracy)},
                                 {"fact_exact", json_number(task.exact)},
                                 {"counts_for_accuracy", task.counts_for_accuracy},
                                 {"counts_for_exact", task.counts_for_exact}});
    json["skipped"] = findings.skipped;
    json["configuration"] = Json::parse(configuration, nullptr, false);
    json["command_line"] = command_line;
    json["git_hash"] = json_build_commit();
    return json_text(json, 2) + "\n";
}

}  // namespace mc::eval
