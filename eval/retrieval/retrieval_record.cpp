// SPDX-License-Identifier: Apache-2.0
#include "eval/retrieval/retrieval_record.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "eval/retrieval/retrieval_search.h"
#include "eval/retrieval/retrieval_texts.h"

namespace mc::eval {
namespace {

using Json = nlohmann::ordered_json;

// Version of the protocol: raised when equal options would give other numbers.
constexpr int kTaskVersion = 2;
constexpr const char* kReference = "bm25";

struct Quantity {
    const char* name;
    Estimate RetrievalEstimates::*estimate;
};

constexpr std::array<Quantity, 4> kQuantities = {{{"recall@1", &RetrievalEstimates::recall_at_1},
                                                  {"recall@5", &RetrievalEstimates::recall_at_5},
                                                  {"recall@20", &RetrievalEstimates::recall_at_20},
                                                  {"mrr", &RetrievalEstimates::reciprocal_rank}}};

struct Group {
    std::string name;
    std::size_t first_kind;
    std::size_t last_kind;
};

std::vector<Group> groups() {
    std::vector<Group> out;
    for (std::size_t k = 0; k < kQueryKinds.size(); ++k) out.push_back({kQueryKinds[k], k, k});
    out.push_back({"all", 0, kQueryKinds.size() - 1});
    return out;
}

std::vector<std::uint32_t> part_of(const RetrievalFindings& findings, const SystemRanks& system,
                                   const Group& group) {
    std::vector<std::uint32_t> out;
    for (std::size_t i = 0; i < system.ranks.size(); ++i)
        if (findings.kinds[i] >= group.first_kind && findings.kinds[i] <= group.last_kind)
            out.push_back(system.ranks[i]);
    return out;
}

const SystemRanks& reference_of(const RetrievalFindings& findings) {
    for (const SystemRanks& system : findings.systems)
        if (system.name == kReference) return system;
    return findings.systems.front();
}

double rounded(double value) {
    return std::round(value * 1e6) / 1e6;
}

std::string cell(const Estimate& estimate, const char* format) {
    std::string text;
    for (const auto& [value, before, after] : {std::tuple{estimate.value, "", ""},
                                               {estimate.low, " [", ""},
                                               {estimate.high, ", ", "]"}}) {
        char digits[32];
        std::snprintf(digits, sizeof digits, format, value);
        text += before + std::string(digits) + after;
    }
    return text;
}

}  // namespace

std::string retrieval_json(const RetrievalFindings& findings) {
    Json record;
    const SystemRanks& reference = reference_of(findings);
    for (const Group& group : groups()) {
        Json results;
        const auto base = part_of(findings, reference, group);
        for (const SystemRanks& system : findings.systems) {
            const auto ranks = part_of(findings, system, group);
            const RetrievalEstimates found = estimate_ranks(ranks, findings.seed);
            for (const Quantity& quantity : kQuantities) {
                const Estimate& estimate = found.*quantity.estimate;
                const std::string name = quantity.name;
                results[name + "," + system.name] = rounded(estimate.value);
                results[name + "_ci95," + system.name] = {rounded(estimate.low),
                                                          rounded(estimate.high)};
            }
            const Estimate more = estimate_difference(ranks, base, findings.seed);
            results["mrr-bm25," + system.name] = rounded(more.value);
            results["mrr-bm25_ci95," + system.name] = {rounded(more.low), rounded(more.high)};
        }
        record["results"]["retrieval/" + group.name] = std::move(results);
        record["n-samples"]["retrieval/" + group.name] = base.size();
    }
    record["versions"] = {{"retrieval", kTaskVersion}};
    record["config"] = {{"blocks", findings.blocks},
                        {"documents", findings.documents},
                        {"texts_hash", findings.texts_hash},
                        {"model_hash", findings.model_hash},
                        {"seed", findings.seed}};
    record["command_line"] = findings.command_line;
    return record.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string retrieval_table(const RetrievalFindings& findings) {
    std::string text = "# retrieval, one right block of " + std::to_string(findings.blocks) + "\n";
    const SystemRanks& reference = reference_of(findings);
    for (const Group& group : groups()) {
        const auto base = part_of(findings, reference, group);
        text += "\n## " + group.name + " (" + std::to_string(base.size()) +
                " questions)\n\n| system | recall@1 | recall@5 | recall@20 | MRR | MRR − bm25's "
                "|\n|---|---:|---:|---:|---:|---:|\n";
        for (const SystemRanks& system : findings.systems) {
            const auto ranks = part_of(findings, system, group);
            const RetrievalEstimates found = estimate_ranks(ranks, findings.seed);
            text += "| " + system.name + " |";
            for (const Quantity& quantity : kQuantities)
                text += " " + cell(found.*quantity.estimate, "%.3f") + " |";
            text += " " + cell(estimate_difference(ranks, base, findings.seed), "%+.3f") + " |\n";
        }
    }
    return text;
}

std::string retrieval_ranks(const RetrievalFindings& findings) {
    std::string text;
    for (std::size_t i = 0; i < findings.kinds.size(); ++i) {
        Json line;
        line["kind"] = kQueryKinds[findings.kinds[i]];
        for (const SystemRanks& system : findings.systems)
            line["ranks"][system.name] = system.ranks[i] == 0 ? Json() : Json(system.ranks[i]);
        text += line.dump() + "\n";
    }
    return text;
}

}  // namespace mc::eval
