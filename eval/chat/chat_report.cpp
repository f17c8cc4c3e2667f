// SPDX-License-Identifier: Apache-2.0
#include "eval/chat/chat_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "eval/report/record_json.h"

namespace mc::eval {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Estimate& estimate) {
    return {{"value", json_number(estimate.value)}, {"interval", json_interval(estimate)}};
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

// Of two lists of readings of the same facts in the same order: the mean of one, and of it less the
// other.
std::vector<Estimate> estimate(std::span<const ChatReading* const> own,
                               std::span<const ChatReading* const> other, std::uint64_t seed) {
    return bootstrap(own.size(), true, seed, [&](std::span<const std::uint32_t> draws) {
        double count = 0;
        double right = 0;
        double less = 0;
        for (std::size_t i = 0; i < own.size(); ++i) {
            const double times = draws[i];
            count += times;
            right += times * own[i]->exact;
            if (!other.empty()) less += times * (own[i]->exact - other[i]->exact);
        }
        return std::vector<double>{right / count, other.empty() ? std::nan("") : less / count};
    });
}

}  // namespace

std::string to_line(const ChatReading& reading) {
    const Json line{{"distance", reading.distance}, {"row", reading.row},
                    {"fact", reading.fact},         {"question", reading.question},
                    {"value", reading.value},       {"written", reading.written},
                    {"exact", reading.exact},       {"shown", reading.shown},
                    {"entries", reading.entries},   {"prompt_ms", reading.prompt_ms}};
    return json_text(line, -1);
}

std::vector<ChatCell> measure_chat(std::span<const ChatReading> readings, std::uint64_t seed) {
    using Key = std::pair<std::uint64_t, std::string>;
    std::map<Key, std::vector<const ChatReading*>> by_cell;
    std::vector<Key> order;
    for (const ChatReading& reading : readings) {
        const Key key(reading.distance, reading.row);
        auto& cell = by_cell[key];
        if (cell.empty()) order.push_back(key);
        cell.push_back(&reading);
    }
    std::vector<ChatCell> cells;
    for (const Key& key : order) {
        const auto& own = by_cell[key];
        ChatCell cell{key.first, key.second, own.size(), {}, {}, 0, 0, 0};
        const auto window = by_cell.find({key.first, kChatWindowRow});
        const auto other = window == by_cell.end() || key.second == kChatWindowRow
                               ? std::span<const ChatReading* const>()
                               : std::span<const ChatReading* const>(window->second);
        const auto estimates = estimate(own, other, seed);
        cell.exact = estimates[0];
        cell.exact_less_window = estimates[1];
        std::vector<double> times;
        for (const ChatReading* reading : own) {
            cell.shown += reading->shown / double(own.size());
            cell.entries += double(reading->entries) / double(own.size());
            times.push_back(reading->prompt_ms);
        }
        cell.prompt_ms = median(std::move(times));
        cells.push_back(std::move(cell));
    }
    return cells;
}

std::string chat_table(std::span<const ChatCell> cells, const std::string& command_line) {
    std::string table =
        "| distance | row | exact | less window | shown | entries | prompt ms |\n"
        "|---:|---|---|---|---:|---:|---:|\n";
    for (const ChatCell& cell : cells)
        table += "| " + std::to_string(cell.distance) + " | " + cell.row + " | " +
                 estimate_text(cell.exact, 2) + " | " + estimate_text(cell.exact_less_window, 2) +
                 " | " + number_text(cell.shown, 2) + " | " + number_text(cell.entries, 0) + " | " +
                 number_text(cell.prompt_ms, 1) + " |\n";
    return table + "\nexact: what was written holds the fact's value; 95 % intervals over facts. " +
           "shown: the prompt holds the fact.\n\n`" + command_line + "`\n";
}

std::string chat_results(std::span<const ChatCell> cells, const std::string& command_line,
                         std::uint64_t seed) {
    Json results = Json::object();
    for (const ChatCell& cell : cells)
        results["chat/" + std::to_string(cell.distance)][cell.row] = {
            {"exact", to_json(cell.exact)}, {"exact_less_window", to_json(cell.exact_less_window)},
            {"shown", cell.shown},          {"entries", cell.entries},
            {"prompt_ms", cell.prompt_ms},  {"facts", cell.readings}};
    const Json all{{"results", results},
                   {"command_line", command_line},
                   {"seed", seed},
                   {"git_hash", json_build_commit()}};
    return json_text(all, 1) + "\n";
}

}  // namespace mc::eval
