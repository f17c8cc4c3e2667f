// SPDX-License-Identifier: Apache-2.0
#include "documents/converted_text.h"

#include <nlohmann/json.hpp>

#include "core/utf8.h"

namespace mc::documents {
namespace {

using Json = nlohmann::json;

tl::unexpected<Error> broken() {
    return fail(ErrorCode::kIo, "the converter gave no whole answer");
}

Result<std::vector<Place>> places_of(const Json& list) {
    std::vector<Place> places;
    for (const Json& one : list) {
        if (!one.is_array() || one.size() != 2 || !one[0].is_number_unsigned() ||
            !one[1].is_string())
            return broken();
        places.push_back({one[0].get<std::uint64_t>(), one[1].get<std::string>()});
        if (find_invalid_utf8(places.back().label)) return broken();
    }
    if (!are_places(places)) return broken();
    return places;
}

}  // namespace

std::string encode_frame(const Result<ConvertedText>& converted) {
    Json line;
    if (!converted) {
        line["error"] = converted.error().to_string();
        return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    }
    Json places = Json::array();
    for (const Place& place : converted->places) places.push_back({place.begin, place.label});
    line = {{"text_bytes", converted->text.size()}, {"places", std::move(places)}};
    return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n" + converted->text;
}

Result<ConvertedText> decode_frame(std::string_view frame) {
    const std::size_t end = frame.substr(0, kFrameLineBytesMax).find('\n');
    if (end == std::string_view::npos) return broken();
    const Json line = Json::parse(frame.substr(0, end), nullptr, false);
    if (!line.is_object()) return broken();
    if (line.contains("error") && line["error"].is_string())
        return fail(ErrorCode::kInvalidInput, to_valid_utf8(line["error"].get<std::string>()));
    const std::string_view text = frame.substr(end + 1);
    if (!line.contains("text_bytes") || line["text_bytes"] != text.size() ||
        !line.contains("places") || !line["places"].is_array() || find_invalid_utf8(text))
        return broken();
    ConvertedText converted;
    converted.text = text;
    MC_ASSIGN(converted.places, places_of(line["places"]));
    return converted;
}

}  // namespace mc::documents
