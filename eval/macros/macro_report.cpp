// SPDX-License-Identifier: Apache-2.0
#include "eval/macros/macro_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "eval/report/record_json.h"

namespace mc::eval {
namespace {

using ReportJson = nlohmann::ordered_json;

ReportJson estimate_json(const Estimate& estimate) {
    return {{"value", json_number(estimate.value)},
            {"interval", json_interval(estimate)},
            {"within_instructions", json_interval(estimate.within)}};
}

const MacroRowReading* row_of(const MacroReading& reading, std::string_view row) {
    const auto found = std::ranges::find(reading.rows, row, &MacroRowReading::row);
    return found == reading.rows.end() ? nullptr : &*found;
}

// One row of one message, with what it is compared with.
struct Contrast {
    double tokens = 0;  // of the answer
    double own = 0;     // nats a token
    double none = 0;
    double full = 0;
    double rouge_l = 0;
};

// By instruction.
using Contrasts = std::map<std::pair<std::string, std::size_t>, std::vector<Contrast>>;

void estimate(const Contrasts& contrasts, std::uint64_t seed, MacroCell& cell) {
    std::vector<std::size_t> messages;
    std::vector<Contrast> all;
    for (const auto& [instruction, some] : contrasts) {
        messages.push_back(some.size());
        all.insert(all.end(), some.begin(), some.end());
    }
    const auto estimates = bootstrap(messages, seed, [&all](std::span<const std::uint32_t> draws) {
        double tokens = 0;
        double own = 0;
        double kept = 0;
        double gain = 0;
        double rouge = 0;
        double count = 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const double weight = draws[i] * all[i].tokens;
            tokens += weight;
            own += weight * all[i].own;
            kept += weight * (all[i].none - all[i].own);
            gain += weight * (all[i].none - all[i].full);
            rouge += draws[i] * all[i].rouge_l;
            count += draws[i];
        }
        return std::vector<double>{gain > 0 ? kept / gain : std::nan(""), rouge / count,
                                   own / tokens};
    });
    cell.gain_kept = estimates[0];
    cell.rouge_l = estimates[1];
    cell.nll = estimates[2];
}

double median_of(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

MacroCell measure_cell(std::span<const MacroReading> readings, const std::string& set,
                       const std::string& row, std::uint64_t seed) {
    MacroCell cell;
    cell.set = set;
    cell.row = row;
    Contrasts contrasts;
    std::vector<double> times;
    double tokens = 0;
    for (const MacroReading& reading : readings) {
        if (set != kAllMacroSets && reading.set != set) continue;
        const MacroRowReading* const own = row_of(reading, row);
        const MacroRowReading* const none = row_of(reading, kNoneRow);
        const MacroRowReading* const full = row_of(reading, kFullRow);
        if (!own || !none || !full) continue;
        contrasts[{reading.set, reading.instruction}].push_back(
            {static_cast<double>(reading.answer_tokens), own->nll, none->nll, full->nll,
             own->rouge_l});
        times.push_back(own->prompt_ms);
        tokens += static_cast<double>(reading.tokens);
        cell.entries += static_cast<double>(own->entries);
        cell.gflops += own->gflops;
        cell.bytes += static_cast<double>(own->bytes);
    }
    if (times.empty()) return cell;
    cell.readings = times.size();
    const auto count = static_cast<double>(times.size());
    cell.tokens_per_entry = cell.entries > 0 ? tokens / cell.entries : 0;
    cell.entries /= count;
    cell.gflops /= count;
    cell.bytes /= count;
    cell.prompt_ms = median_of(std::move(times));
    estimate(contrasts, seed, cell);
    return cell;
}

}  // namespace

std::vector<MacroCell> measure_macros(std::span<const MacroReading> readings, std::uint64_t seed) {
    std::vector<std::string> sets;
    std::vector<std::string> rows;
    const auto note = [](std::vector<std::string>& names, const std::string& name) {
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    };
    for (const MacroReading& reading : readings) {
        note(sets, reading.set);
        for (const MacroRowReading& row : reading.rows) note(rows, row.row);
    }
    if (sets.size() > 1) sets.emplace_back(kAllMacroSets);
    std::vector<MacroCell> cells;
    for (const std::string& set : sets)
        for (const std::string& row : rows) {
            MacroCell cell = measure_cell(readings, set, row, seed);
            if (cell.readings > 0) cells.push_back(std::move(cell));
        }
    return cells;
}

std::string macro_table(std::span<const MacroCell> cells, const std::string& command_line) {
    std::string table =
        "| set | row | gain kept | within instructions | ROUGE-L | NLL | entries | tokens per "
        "entry "
        "| prompt ms | GFLOP | bytes kept |\n"
        "|---|---|---|---|---|---|---:|---:|---:|---:|---:|\n";
    for (const MacroCell& cell : cells)
        table += "| " + cell.set + " | " + cell.row + " | " + estimate_text(cell.gain_kept, 2) +
                 " | " + interval_text(cell.gain_kept.within, 2) + " | " +
                 estimate_text(cell.rouge_l, 2) + " | " + number_text(cell.nll.value, 3) + " | " +
                 number_text(cell.entries, 1) + " | " + number_text(cell.tokens_per_entry, 1) +
                 " | " + number_text(cell.prompt_ms, 0) + " | " + number_text(cell.gflops, 1) +
                 " | " + number_text(cell.bytes, 0) + " |\n";
    return table +
           "\nGain kept: share of what the full prompt takes from the NLL of its own greedy "
           "answer. "
           "ROUGE-L: what is\nwritten against that answer. 95 % intervals over instructions, from "
           "four on, and over messages within\nthem.\n\n`" +
           command_line + "`\n";
}

std::string macro_results(std::span<const MacroCell> cells, const std::string& configuration,
                          const std::string& command_line, std::uint64_t seed) {
    ReportJson results = ReportJson::object();
    for (const MacroCell& cell : cells)
        results["macro/" + cell.set][cell.row] = {
            {"gain_kept", estimate_json(cell.gain_kept)},
            {"rouge_l", estimate_json(cell.rouge_l)},
            {"nll", estimate_json(cell.nll)},
            {"entries", json_number(cell.entries)},
            {"tokens_per_entry", json_number(cell.tokens_per_entry)},
            {"prompt_ms", json_number(cell.prompt_ms)},
            {"gflops", json_number(cell.gflops)},
            {"bytes", json_number(cell.bytes)},
            {"readings", cell.readings}};
    const ReportJson all{{"results", std::move(results)},
                         {"configuration", ReportJson::parse(configuration)},
                         {"command_line", command_line},
                         {"seed", seed},
                         {"git_hash", json_build_commit()}};
    return json_text(all, 1) + "\n";
}

}  // namespace mc::eval
