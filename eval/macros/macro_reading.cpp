// SPDX-License-Identifier: Apache-2.0
#include "eval/macros/macro_reading.h"

#include <nlohmann/json.hpp>

#include "eval/report/record_json.h"

namespace mc::eval {

using MacroJson = nlohmann::ordered_json;

std::string to_line(const MacroReading& reading) {
    MacroJson rows = MacroJson::array();
    for (const MacroRowReading& row : reading.rows)
        rows.push_back({{"row", row.row},
                        {"entries", row.entries},
                        {"nll", json_number(row.nll)},
                        {"rouge_l", json_number(row.rouge_l)},
                        {"prompt_ms", json_number(row.prompt_ms)},
                        {"gflops", json_number(row.gflops)},
                        {"bytes", row.bytes},
                        {"written", row.written}});
    const MacroJson line{{"set", reading.set},
                         {"instruction", reading.instruction},
                         {"tokens", reading.tokens},
                         {"message", reading.message},
                         {"answer_tokens", reading.answer_tokens},
                         {"rows", std::move(rows)}};
    return json_text(line, -1);
}

Result<MacroReading> parse_macro_reading(const std::string& line) {
    try {
        const MacroJson json = MacroJson::parse(line);
        MacroReading reading{json.at("set"),     json.at("instruction"),   json.at("tokens"),
                             json.at("message"), json.at("answer_tokens"), {}};
        for (const MacroJson& row : json.at("rows"))
            reading.rows.push_back({row.at("row"), row.at("entries"), row.at("nll"),
                                    row.at("rouge_l"), row.at("prompt_ms"), row.at("gflops"),
                                    row.at("bytes"), row.at("written")});
        return reading;
    } catch (const MacroJson::exception& error) {
        return fail(ErrorCode::kInvalidInput,
                    std::string("not a reading of macro: ") + error.what());
    }
}

}  // namespace mc::eval
