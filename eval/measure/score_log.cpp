// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/score_log.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

namespace mc::eval {

namespace {

using Json = nlohmann::ordered_json;

std::string to_line(const ScoreLine& line) {
    Json json;
    json["document"] = line.document;
    json["window"] = line.window;
    json["start"] = line.start;
    json["condition"] = line.condition;
    json["nll"] = line.nll;  // NaN becomes null
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ScoreLine> parse_line(std::string_view text) {
    const auto damaged = [] { return fail(ErrorCode::kCorruption, "not a line of likelihoods"); };
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return damaged();
    for (const char* name : {"document", "condition"})
        if (!json.contains(name) || !json[name].is_string()) return damaged();
    for (const char* name : {"window", "start"})
        if (!json.contains(name) || !json[name].is_number_unsigned()) return damaged();
    if (!json.contains("nll") || !json["nll"].is_array()) return damaged();
    ScoreLine line{json["document"], json["window"], json["start"], json["condition"], {}};
    for (const Json& value : json["nll"]) {
        if (!value.is_null() && !value.is_number()) return damaged();
        line.nll.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN()
                                           : value.get<double>());
    }
    return line;
}

}  // namespace

Result<std::vector<double>> logged_nll(std::span<const float> nll, std::size_t horizon) {
    if (nll.size() != horizon)
        return fail(ErrorCode::kModel, "the model scored " + std::to_string(nll.size()) + " of " +
                                           std::to_string(horizon) + " tokens");
    std::vector<double> result = {std::numeric_limits<double>::quiet_NaN()};
    for (std::size_t t = 1; t < horizon; ++t) {
        if (!std::isfinite(nll[t]))
            return fail(ErrorCode::kModel,
                        "the NLL of horizon token " + std::to_string(t) + " is not finite");
        result.push_back(rounded_nll(static_cast<double>(nll[t])));
    }
    return result;
}

double rounded_nll(double nll) {
    static const double scale = std::pow(10.0, kNllDecimals);
    return std::round(nll * scale) / scale;
}

Result<std::unique_ptr<ScoreLog>> ScoreLog::open(const Path& path,
                                                 const std::string& configuration) {
    MC_ASSIGN(auto log, LineLog::open(path, configuration));
    const std::vector<std::string> texts = log->take_lines();
    std::unique_ptr<ScoreLog> scores(new ScoreLog(std::move(log)));
    for (std::size_t i = 0; i < texts.size(); ++i) {
        auto line = parse_line(texts[i]);
        if (!line)
            return fail(std::move(line.error())
                            .add_context(path.string() + " line " + std::to_string(i + 2)));
        scores->lines_.push_back(std::move(*line));
    }
    return scores;
}

Result<void> ScoreLog::keep(std::size_t count) {
    lines_.resize(count);
    return log_->keep(count);
}

Result<void> ScoreLog::append(std::span<const ScoreLine> lines) {
    std::vector<std::string> texts;
    for (const ScoreLine& line : lines) texts.push_back(to_line(line));
    return log_->append(texts);
}

}  // namespace mc::eval
