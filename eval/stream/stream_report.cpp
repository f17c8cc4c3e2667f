// SPDX-License-Identifier: Apache-2.0
#include "eval/stream/stream_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/span_math.h"
#include "eval/report/curve_plot.h"
#include "eval/report/record_json.h"

namespace mc::eval {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kChunkTokens = kStreamChunkBlocks * kBlockSize;
// Chunks that a point of the plot is the mean of.
constexpr std::uint64_t kPlotTokens = 8 * kChunkTokens;

Json to_json(const Estimate& estimate) {
    return {{"value", json_number(estimate.value)},
            {"interval", json_interval(estimate)},
            {"within_documents", json_interval(estimate.within)}};
}

Json to_json(const std::vector<double>& values) {
    Json list = Json::array();
    for (const double value : values) list.push_back(json_number(value));
    return list;
}

double number_of(const Json& value) {
    return value.is_null() ? std::nan("") : value.get<double>();
}

double quantile(std::vector<double> values, double share) {
    if (values.empty()) return std::nan("");
    const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::ranges::nth_element(values, values.begin() + at);
    return values[static_cast<std::size_t>(at)];
}

using Place = std::pair<std::string, std::uint64_t>;  // document, first token
using Readings = std::map<Place, const StreamReading*>;

struct Sums {
    double own = 0;
    double less = 0;
    double count = 0;
};

// Blocks that both read; other may be null: then `less` stays 0.
Sums sums_of(const StreamReading& own, const StreamReading* other) {
    Sums sums;
    for (std::size_t block = 0; block < own.nll.size(); ++block) {
        if (std::isnan(own.nll[block]) || (other && std::isnan(other->nll[block]))) continue;
        sums.own += own.nll[block];
        if (other) sums.less += own.nll[block] - other->nll[block];
        sums.count += 1;
    }
    return sums;
}

// The mean of own, or of own less other over what both read.
Estimate estimate(const Readings& own, const Readings* other, std::uint64_t seed) {
    std::vector<std::size_t> per_document;
    std::vector<Sums> chunks;
    std::string document;
    for (const auto& [place, reading] : own) {
        const StreamReading* rival = nullptr;
        if (other) {
            const auto found = other->find(place);
            if (found == other->end()) continue;
            rival = found->second;
        }
        if (per_document.empty() || place.first != document) per_document.push_back(0);
        document = place.first;
        per_document.back() += 1;
        chunks.push_back(sums_of(*reading, rival));
    }
    if (chunks.empty()) return {};
    return bootstrap(per_document, seed,
                     [&](std::span<const std::uint32_t> draws) {
                         double sum = 0;
                         double count = 0;
                         for (std::size_t i = 0; i < chunks.size(); ++i) {
                             sum += draws[i] * (other ? chunks[i].less : chunks[i].own);
                             count += draws[i] * chunks[i].count;
                         }
                         return std::vector<double>{sum / count};
                     })
        .front();
}

// Times of the blocks of the first or last kStreamTimedTokens of each document.
std::vector<double> times_of(const Readings& readings, bool late) {
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> ends;  // first, last chunk
    for (const auto& [place, reading] : readings) {
        const auto [found, is_new] = ends.try_emplace(place.first, place.second, place.second);
        found->second.second = std::max(found->second.second, place.second);
    }
    std::vector<double> times;
    for (const auto& [place, reading] : readings) {
        const auto [first, last] = ends.at(place.first);
        const bool counts = late ? place.second + kStreamTimedTokens > last
                                 : place.second < first + kStreamTimedTokens;
        if (!counts) continue;
        for (std::size_t block = 0; block < reading->ms.size(); ++block)
            if (!std::isnan(reading->nll[block])) times.push_back(reading->ms[block]);
    }
    return times;
}

StreamCell measure_cell(const Readings& own, const Readings* recent, const Readings* whole,
                        std::uint64_t seed) {
    StreamCell cell;
    cell.nll = estimate(own, nullptr, seed);
    if (recent) cell.less_recent = estimate(own, recent, seed);
    if (whole) cell.less_whole = estimate(own, whole, seed);
    double blocks_read = 0;
    for (const auto& [place, reading] : own) {
        cell.blocks += static_cast<std::uint64_t>(sums_of(*reading, nullptr).count);
        cell.entries += static_cast<double>(reading->entries);
        cell.edits_a_block += static_cast<double>(reading->edits);
        blocks_read += static_cast<double>(reading->nll.size());
    }
    cell.entries /= static_cast<double>(own.size());
    cell.edits_a_block /= blocks_read;
    const auto early = times_of(own, false);
    const auto late = times_of(own, true);
    cell.ms_p50_early = quantile(early, .5);
    cell.ms_p99_early = quantile(early, .99);
    cell.ms_p50_late = quantile(late, .5);
    cell.ms_p99_late = quantile(late, .99);
    return cell;
}

}  // namespace

std::string to_line(const StreamReading& reading) {
    const Json line{{"document", reading.document}, {"row", reading.row},
                    {"budget", reading.budget},     {"begin", reading.begin},
                    {"entries", reading.entries},   {"edits", reading.edits},
                    {"nll", to_json(reading.nll)},  {"ms", to_json(reading.ms)}};
    return json_text(line, -1);
}

Result<StreamReading> parse_stream_reading(const std::string& line) {
    const Json json = Json::parse(line, nullptr, false);
    try {
        StreamReading reading{json.at("document"),
                              json.at("row"),
                              json.at("budget"),
                              json.at("begin"),
                              json.at("entries"),
                              json.at("edits"),
                              {},
                              {}};
        for (const Json& value : json.at("nll")) reading.nll.push_back(number_of(value));
        for (const Json& value : json.at("ms")) reading.ms.push_back(number_of(value));
        if (reading.nll.size() == kStreamChunkBlocks && reading.ms.size() == kStreamChunkBlocks)
            return reading;
    } catch (const Json::exception&) {
        // Said below, as for a wrong number of blocks.
    }
    return fail(ErrorCode::kCorruption, "no reading of a stream: " + line.substr(0, 80));
}

std::vector<StreamCell> measure_stream(std::span<const StreamReading> readings, std::uint64_t from,
                                       std::uint64_t seed) {
    using Key = std::pair<std::uint64_t, std::string>;
    std::map<Key, Readings> by_cell;
    std::vector<Key> order;
    const Readings* whole = nullptr;
    for (const StreamReading& reading : readings) {
        if (reading.begin < from) continue;
        const Key key(reading.budget, reading.row);
        auto& cell = by_cell[key];
        if (cell.empty()) order.push_back(key);
        cell[{reading.document, reading.begin}] = &reading;
        if (reading.row == kWholeRow) whole = &cell;
    }
    std::ranges::stable_sort(order, {}, &Key::first);
    std::vector<StreamCell> cells;
    for (const Key& key : order) {
        const auto recent = by_cell.find({key.first, std::string(kRecentRow)});
        const bool compares = recent != by_cell.end() && key.second != kRecentRow;
        StreamCell cell = measure_cell(by_cell.at(key), compares ? &recent->second : nullptr,
                                       key.second == kWholeRow ? nullptr : whole, seed);
        cell.row = key.second;
        cell.budget = key.first;
        cells.push_back(std::move(cell));
    }
    return cells;
}

std::string stream_table(std::span<const StreamCell> cells, std::size_t document_count,
                         const std::string& command_line) {
    std::string table =
        pool_note(document_count) +
        "\n| budget | row | NLL | less recent | less whole | entries | edits a block | "
        "ms a block p50 / p99, first | last |\n|---:|---|---|---|---|---:|---:|---|---|\n";
    for (const StreamCell& cell : cells) {
        table += "| " + std::to_string(cell.budget) + " | " + cell.row + " | " +
                 estimate_text(cell.nll, 3) + " | " + estimate_text(cell.less_recent, 3) + " | " +
                 estimate_text(cell.less_whole, 3) + " | " + number_text(cell.entries, 0) + " | " +
                 number_text(cell.edits_a_block, 2) + " | " + number_text(cell.ms_p50_early, 1) +
                 " / " + number_text(cell.ms_p99_early, 1) + " | " +
                 number_text(cell.ms_p50_late, 1) + " / " + number_text(cell.ms_p99_late, 1) +
                 " |\n";
        if (document_count > 1)
            table += "| | " + std::string(kWithinLabel) + " | " +
                     interval_text(cell.nll.within, 3) + " | " +
                     interval_text(cell.less_recent.within, 3) + " | " +
                     interval_text(cell.less_whole.within, 3) + " | | | | |\n";
    }
    return table + "\nNLL in nats a token; differences are of the same blocks.\n\n`" +
           command_line + "`\n";
}

std::string stream_results(std::span<const StreamCell> cells, const std::string& configuration,
                           const std::string& command_line, std::uint64_t seed) {
    Json results = Json::object();
    for (const StreamCell& cell : cells)
        results["stream/" + std::to_string(cell.budget)][cell.row] = {
            {"nll", to_json(cell.nll)},
            {"less_recent", to_json(cell.less_recent)},
            {"less_whole", to_json(cell.less_whole)},
            {"blocks", cell.blocks},
            {"entries", json_number(cell.entries)},
            {"edits_a_block", json_number(cell.edits_a_block)},
            {"ms_first", {json_number(cell.ms_p50_early), json_number(cell.ms_p99_early)}},
            {"ms_last", {json_number(cell.ms_p50_late), json_number(cell.ms_p99_late)}}};
    const Json all{{"results", results},
                   {"configuration", Json::parse(configuration)},
                   {"command_line", command_line},
                   {"seed", seed},
                   {"git_hash", json_build_commit()}};
    return json_text(all, 1) + "\n";
}

std::vector<Plot> stream_plots(std::span<const StreamReading> readings) {
    std::map<std::string, std::map<std::uint64_t, Sums>> rows;
    for (const StreamReading& reading : readings) {
        const Sums own = sums_of(reading, nullptr);
        Sums& sums =
            rows[reading.row + " " + std::to_string(reading.budget)][reading.begin / kPlotTokens];
        sums.own += own.own;
        sums.count += own.count;
    }
    std::vector<Curve> curves;
    for (const auto& [name, points] : rows) {
        Curve curve{name, {}, !name.starts_with("gists")};
        for (const auto& [place, sums] : points)
            curve.points.push_back(
                {static_cast<double>((place + 1) * kPlotTokens), sums.own / sums.count});
        curves.push_back(std::move(curve));
    }
    return {{"nll.svg", draw_curves(curves, {"tokens read", "NLL, nats a token"})}};
}

}  // namespace mc::eval
