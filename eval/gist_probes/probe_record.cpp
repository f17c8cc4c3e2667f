// SPDX-License-Identifier: Apache-2.0
#include "eval/gist_probes/probe_record.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "eval/measure/encoder_name.h"
#include "eval/repetition/repetition_probe.h"
#include "eval/report/record_json.h"

namespace mc::eval {

namespace {

using Json = nlohmann::ordered_json;

// Version of the protocol: raised when equal options would give other numbers.
constexpr int kTaskVersion = 1;
constexpr std::string_view kTask = "gist-probes";

void add(Json& results, const std::string& metric, const std::string& condition,
         const Estimate& estimate, bool is_pool) {
    if (!std::isfinite(estimate.value)) return;
    results[metric + "," + condition] = json_number(estimate.value);
    results[metric + "_ci95," + condition] = json_interval(estimate);
    if (is_pool) results[metric + "_ci95_within," + condition] = json_interval(estimate.within);
}

Json json_of(const RepetitionGroup& group) {
    Json results;
    const bool is_pool = group.is_pool;
    results["alias"] = group.name;
    results["documents"] = group.document_count;
    for (const RepetitionRow& row : group.rows) {
        add(results, "nll@" + row.slice, row.condition, row.nll, is_pool);
        add(results, "probability@" + row.slice, row.condition, row.probability, is_pool);
        add(results, "Rs@" + row.slice, row.condition, row.share, is_pool);
    }
    for (const RepetitionContrast& contrast : group.contrasts)
        add(results, "Rs@" + contrast.name, contrast.condition, contrast.share, is_pool);
    return results;
}

Json json_of(const gistnet::VectorGeometry& geometry) {
    return {{"effective_rank", json_number(geometry.effective_rank)},
            {"mean_cosine", json_number(geometry.mean_cosine)}};
}

Json json_of(const std::vector<double>& numbers) {
    Json list = Json::array();
    for (const double number : numbers) list.push_back(json_number(number));
    return list;
}

Json json_of(const std::vector<EncoderGeometry>& geometry) {
    Json all = Json::object();
    for (const EncoderGeometry& encoder : geometry) {
        Json layers = Json::array();
        for (const gistnet::LayerGeometry& layer : encoder.layers)
            layers.push_back({{"keys", json_of(layer.keys)}, {"values", json_of(layer.values)}});
        all[encoder.encoder] = {{"gists", encoder.gist_count}, {"layers", std::move(layers)}};
    }
    return all;
}

Json json_of(const std::vector<EncoderPooling>& pooling) {
    Json all = Json::object();
    for (const EncoderPooling& encoder : pooling) {
        Json layers = Json::array();
        for (const gistnet::LayerPooling& layer : encoder.layers)
            layers.push_back({{"entropy", json_of(layer.entropy)},
                              {"key_share", json_of(layer.key_share)},
                              {"value_share", json_of(layer.value_share)}});
        all[encoder.encoder] = {{"layers", std::move(layers)}};
    }
    return all;
}

// One question and the slices and contrasts that answer it.
struct View {
    const char* title;
    std::vector<std::string> slices;
    std::vector<std::string> contrasts;
};

std::vector<std::string> numbered(const RepetitionGroup& group, const std::string& prefix) {
    std::vector<std::string> names;
    while (group.find(kConditionFull, prefix + std::to_string(names.size() + 1)) != nullptr)
        names.push_back(prefix + std::to_string(names.size() + 1));
    return names;
}

std::vector<View> views_of(const RepetitionGroup& group) {
    const std::vector<std::string> blocks = numbered(group, "block");
    return {{"place in the block",
             {"all", "first4", "middle", "last4"},
             {"first4-middle", "last4-middle"}},
            {"surprise", numbered(group, "quintile"), {"quintile5-quintile1"}},
            {"block of the repeated text", blocks, {blocks.back() + "-block1"}}};
}

std::string header_of(const std::string& title, const std::vector<std::string>& columns) {
    std::string header = "| " + title + " |";
    std::string rule = "|---|";
    for (const std::string& column : columns) {
        header += " " + column + " |";
        rule += "---:|";
    }
    return header + "\n" + rule + "\n";
}

// Conditions for which the quantity is not defined are left out, contrasts are of Rs alone.
std::string table_of(const RepetitionGroup& group, const View& view, const std::string& quantity,
                     Estimate RepetitionRow::*estimate, bool with_contrasts) {
    std::vector<std::string> columns = view.slices;
    if (with_contrasts) columns.insert(columns.end(), view.contrasts.begin(), view.contrasts.end());
    std::string text = header_of(quantity + " by " + view.title, columns);
    for (const RepetitionRow& named : group.rows) {
        if (named.slice != group.rows.front().slice) break;
        std::string line = "| " + named.condition + " |";
        std::string within = "| " + std::string(kWithinLabel) + " |";
        const auto add_cell = [&](const Estimate& one) {
            line += " " + estimate_text(one, 3) + " |";
            within += " " + interval_text(one.within, 3) + " |";
        };
        bool is_defined = false;
        for (const std::string& slice : view.slices) {
            const Estimate& one = group.find(named.condition, slice)->*estimate;
            is_defined = is_defined || std::isfinite(one.value);
            add_cell(one);
        }
        if (!is_defined) continue;
        if (with_contrasts)
            for (const std::string& contrast : view.contrasts)
                add_cell(group.find_contrast(named.condition, contrast)->share);
        text += line + "\n" + (group.is_pool ? within + "\n" : "");
    }
    return text + "\n";
}

std::string geometry_table(const std::vector<EncoderGeometry>& geometry) {
    std::vector<std::string> columns;
    for (const EncoderGeometry& encoder : geometry)
        for (const char* part : {"keys", "values"})
            for (const char* quantity : {"rank", "cosine"})
                columns.push_back(encoder.encoder + " " + part + ": " + quantity);
    std::string text = "## Gist collapse (" + std::to_string(geometry.front().gist_count) +
                       " gists)\n\n" + header_of("layer", columns);
    for (std::size_t l = 0; l < geometry.front().layers.size(); ++l) {
        text += "| " + std::to_string(l) + " |";
        for (const EncoderGeometry& encoder : geometry)
            for (const auto* part : {&encoder.layers[l].keys, &encoder.layers[l].values})
                text += " " + number_text(part->effective_rank, 1) + " | " +
                        number_text(part->mean_cosine, 3) + " |";
        text += "\n";
    }
    return text;
}

std::string list_text(const std::vector<double>& numbers, int decimals) {
    std::string text;
    for (const double number : numbers)
        text += (text.empty() ? "" : " / ") + number_text(number, decimals);
    return text;
}

std::string pooling_table(const EncoderPooling& encoder) {
    std::string text =
        "\n## Pooling queries of " + encoder.encoder + "\n\n" +
        header_of("layer", {"entropy in nats, by query", "share of the key, by query",
                            "share of the value, by query"});
    for (std::size_t l = 0; l < encoder.layers.size(); ++l) {
        const gistnet::LayerPooling& layer = encoder.layers[l];
        text += "| " + std::to_string(l) + " | " + list_text(layer.entropy, 2) + " | " +
                list_text(layer.key_share, 2) + " | " + list_text(layer.value_share, 2) + " |\n";
    }
    return text;
}

}  // namespace

std::string probe_configuration_json(const GistProbeOptions& options, const ScorerFacts& facts,
                                     std::span<const DocumentPlan> documents) {
    Json configuration = json_configuration(kTask, kTaskVersion, facts);
    configuration["labels"] = Json::array();
    for (const std::string& encoder : options.encoders)
        configuration["labels"].push_back(encoder_label(encoder));
    configuration["repeated_tokens"] = kRepeatedTokens;
    configuration["windows_per_document"] = options.windows_per_document;
    configuration["seed"] = options.seed;
    configuration["bootstrap_resamples"] = kBootstrapResamples;
    configuration["documents"] = json_documents(documents);
    return json_text(configuration, -1);
}

std::string probe_results_json(const std::string& configuration, const std::string& command_line,
                               const ProbeFindings& findings) {
    Json record;
    record["results"] = Json::object();
    record["n-samples"] = Json::object();
    for (const RepetitionGroup& group : findings.groups) {
        const std::string task = std::string(kTask) + (group.is_pool ? "" : "/" + group.name);
        record["results"][task] = json_of(group);
        record["n-samples"][task] = {{"original", group.window_count},
                                     {"effective", group.window_count}};
    }
    record["geometry"] = json_of(findings.geometry);
    record["pooling"] = json_of(findings.pooling);
    record["versions"] = {{std::string(kTask), kTaskVersion}};
    record["config"] = Json::parse(configuration, nullptr, false);
    record["command_line"] = command_line;
    record["git_hash"] = json_build_commit();
    return json_text(record, 2) + "\n";
}

std::string probe_table(const ProbeFindings& findings) {
    std::string text = "# gist-probes\n\n";
    for (const RepetitionGroup& group : findings.groups) {
        text += "## " + Path(group.name).filename().string() + " (" +
                std::to_string(group.window_count) + " windows)\n\n";
        if (group.is_pool) text += pool_note(group.document_count);
        for (const View& view : views_of(group)) {
            text += table_of(group, view, "probability", &RepetitionRow::probability, false);
            text += table_of(group, view, "Rs", &RepetitionRow::share, true);
        }
    }
    text += geometry_table(findings.geometry);
    for (const EncoderPooling& encoder : findings.pooling) text += pooling_table(encoder);
    return text;
}

}  // namespace mc::eval
