// SPDX-License-Identifier: Apache-2.0
#include "eval/delta_nll/run_record.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "eval/report/record_json.h"

namespace mc::eval {

namespace {

using Json = nlohmann::ordered_json;

// Version of the protocol: raised when equal options would give other numbers.
constexpr int kTaskVersion = 4;
constexpr std::string_view kTask = "delta-nll";

struct Column {
    const char* name;
    Estimate ConditionMetrics::*estimate;
};

constexpr std::array<Column, 7> kColumns = {{{"nll", &ConditionMetrics::nll},
                                             {"delta_nll", &ConditionMetrics::delta_nll},
                                             {"gain", &ConditionMetrics::gain},
                                             {"specific_gain", &ConditionMetrics::specific_gain},
                                             {"R", &ConditionMetrics::recovery},
                                             {"Rs", &ConditionMetrics::specific_recovery},
                                             {"raw_per_gist", &ConditionMetrics::raw_per_gist}}};

Json json_of(const GroupMetrics& group) {
    Json results;
    results["alias"] = group.name;
    results["documents"] = group.document_count;
    for (const ConditionMetrics& row : group.rows)
        for (const Column& column : kColumns) {
            const Estimate& estimate = row.*column.estimate;
            if (!std::isfinite(estimate.value)) continue;
            const std::string metric = std::string(column.name) + "@" + row.slice;
            results[metric + "," + row.condition] = json_number(estimate.value);
            results[metric + "_ci95," + row.condition] = json_interval(estimate);
            if (group.is_pool)
                results[metric + "_ci95_within," + row.condition] = json_interval(estimate.within);
        }
    return results;
}

// "delta-nll/book.txt", and "delta-nll" for the pool.
std::string task_name(const GroupMetrics& group) {
    return std::string(kTask) + (group.subset.empty() ? "" : "-" + group.subset) +
           (group.is_pool ? "" : "/" + group.name);
}

Json json_of(const RunFindings& findings) {
    Json list = Json::array();
    for (const Condition& condition : findings.conditions) {
        Json one;
        one["name"] = condition.name;
        one["entries"] = condition.entries();
        const auto bytes = gist_bytes_per_token(condition, findings.gist_shape, findings.codecs);
        one["bytes_per_token"] = bytes ? json_number(*bytes) : Json();
        list.push_back(std::move(one));
    }
    return list;
}

Json json_of(const TrainingCheck& training) {
    Json check;
    check["gram_tokens"] = kOverlapGram;
    check["share_max"] = kOverlapShareMax;
    check["train_documents"] = Json::array();
    for (const TrainDocument& document : training.train_documents) {
        Json one;
        one["name"] = document.name;
        one["hash"] = to_hex(document.content_hash);
        one["tokens"] = document.token_count;
        check["train_documents"].push_back(std::move(one));
    }
    check["overlaps"] = Json::array();
    for (const TrainOverlap& overlap : training.overlaps) {
        Json one;
        one["document"] = overlap.document;
        one["grams"] = overlap.gram_count;
        one["shared"] = overlap.shared_count;
        one["share"] = json_number(overlap.share());
        check["overlaps"].push_back(std::move(one));
    }
    return check;
}

std::vector<std::string> slice_names(const GroupMetrics& group) {
    std::vector<std::string> names;
    for (const ConditionMetrics& row : group.rows)
        if (names.empty() || names.back() != row.slice) names.push_back(row.slice);
    return names;
}

// One table of one quantity; conditions for which it is undefined everywhere are left out.
std::string table_of(const GroupMetrics& group, const RunFindings& findings, const Column& column,
                     const std::string& title, int decimals) {
    const std::vector<std::string> slices = slice_names(group);
    std::string text = "| " + title + " | entries | bytes/token |";
    std::string rule = "|---|---:|---:|";
    for (const std::string& slice : slices) {
        text += " " + std::string(column.name) + "@" + slice + " |";
        rule += "---:|";
    }
    text += "\n" + rule + "\n";
    for (const Condition& condition : findings.conditions) {
        const auto bytes = gist_bytes_per_token(condition, findings.gist_shape, findings.codecs);
        std::string line = "| " + condition.name + " | " + std::to_string(condition.entries()) +
                           " | " + (bytes ? number_text(*bytes, 1) : "–") + " |";
        std::string within = "| " + std::string(kWithinLabel) + " | | |";
        bool is_defined = false;
        for (const std::string& slice : slices) {
            const ConditionMetrics* row = group.find(condition.name, slice);
            if (row == nullptr) continue;
            const Estimate& estimate = row->*column.estimate;
            is_defined = is_defined || std::isfinite(estimate.value);
            line += " " + estimate_text(estimate, decimals) + " |";
            within += " " + interval_text(estimate.within, decimals) + " |";
        }
        if (is_defined) text += line + "\n" + (group.is_pool ? within + "\n" : "");
    }
    return text;
}

}  // namespace

std::string configuration_json(const DeltaNllOptions& options, const ScorerFacts& facts,
                               std::span<const Condition> conditions,
                               std::span<const NamedCodec> codecs,
                               std::span<const DocumentPlan> documents) {
    Json configuration = json_configuration(kTask, kTaskVersion, facts);
    configuration["conditions"] = Json::array();
    for (const Condition& condition : conditions)
        configuration["conditions"].push_back(condition.name);
    for (const NamedCodec& codec : codecs)
        if (codec.codebook_hash)
            configuration["codebooks"][codec.name] = to_hex(*codec.codebook_hash);
    configuration["oracle_windows"] = options.oracle_windows;
    configuration["context_tokens"] = options.context_tokens;
    configuration["horizon_tokens"] = options.horizon_tokens;
    configuration["windows_per_document"] = options.windows_per_document;
    configuration["seed"] = options.seed;
    configuration["bootstrap_resamples"] = kBootstrapResamples;
    configuration["documents"] = json_documents(documents);
    return json_text(configuration, -1);
}

std::string results_json(const std::string& configuration, const std::string& command_line,
                         const RunFindings& findings) {
    Json record;
    record["results"] = Json::object();
    record["n-samples"] = Json::object();
    for (const GroupMetrics& group : findings.groups) {
        const std::string task = task_name(group);
        record["results"][task] = json_of(group);
        record["n-samples"][task] = {{"original", group.window_count},
                                     {"effective", group.window_count}};
    }
    record["conditions"] = json_of(findings);
    record["versions"] = {{std::string(kTask), kTaskVersion}};
    record["config"] = Json::parse(configuration, nullptr, false);
    record["training_overlap"] =
        findings.training.overlaps.empty() ? Json() : json_of(findings.training);
    record["command_line"] = command_line;
    record["git_hash"] = json_build_commit();
    return json_text(record, 2) + "\n";
}

std::string results_table(const RunFindings& findings) {
    std::string text = "# delta-nll\n";
    for (const GroupMetrics& group : findings.groups) {
        text += "\n## " + Path(group.name).filename().string() +
                (group.subset.empty() ? "" : ", " + group.subset) + " (" +
                std::to_string(group.window_count) + " windows)\n\n";
        if (group.is_pool) text += pool_note(group.document_count);
        text += table_of(group, findings, kColumns[5], "specific recovery", 3) + "\n";
        text += table_of(group, findings, kColumns[4], "recovery", 3) + "\n";
        text += table_of(group, findings, kColumns[6], "raw tokens per gist", 1) + "\n";
        text += table_of(group, findings, kColumns[0], "mean NLL", 3) + "\n";
        text += table_of(group, findings, kColumns[1], "NLL - full", 3) + "\n";
        text += table_of(group, findings, kColumns[2], "none - NLL", 3) + "\n";
        text += table_of(group, findings, kColumns[3], "shuffled - NLL", 3);
    }
    return text;
}

}  // namespace mc::eval
