// SPDX-License-Identifier: Apache-2.0
#include "eval/report/svg.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>

#include "core/utf8.h"

namespace mc::eval {

namespace {

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

std::string attribute(std::string_view name, std::string_view value) {
    return " " + std::string(name) + "=\"" + std::string(value) + "\"";
}

std::string attribute(std::string_view name, double value) {
    return attribute(name, number(value));
}

// XML forbids control characters.
bool is_control(std::string_view character) {
    const auto first = static_cast<unsigned char>(character.front());
    return first < 0x20 || first == 0x7f;
}

std::string escaped(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const std::size_t size = utf8_character_size(text);
        if (size == 0 || is_control(text))
            result += '?';
        else if (text.front() == '&')
            result += "&amp;";
        else if (text.front() == '<')
            result += "&lt;";
        else if (text.front() == '>')
            result += "&gt;";
        else
            result += text.substr(0, size);
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return result;
}

}  // namespace

SvgCanvas::SvgCanvas(double width, double height) {
    svg_ = "<svg xmlns=\"http://www.w3.org/2000/svg\"" + attribute("width", width) +
           attribute("height", height) + " font-family=\"sans-serif\">\n<rect" +
           attribute("width", width) + attribute("height", height) + " fill=\"white\"/>\n";
}

void SvgCanvas::line(Point from, Point to, std::string_view color, double width) {
    svg_ += "<line" + attribute("x1", from.first) + attribute("y1", from.second) +
            attribute("x2", to.first) + attribute("y2", to.second) + attribute("stroke", color) +
            attribute("stroke-width", width) + "/>\n";
}

void SvgCanvas::polyline(std::span<const Point> points, std::string_view color,
                         std::string_view dashes) {
    std::string list;
    for (const auto& [x, y] : points)
        list += (list.empty() ? "" : " ") + number(x) + "," + number(y);
    svg_ += "<polyline" + attribute("points", list) + " fill=\"none\"" +
            attribute("stroke", color) + attribute("stroke-width", 1.5) +
            (dashes.empty() ? "" : attribute("stroke-dasharray", dashes)) + "/>\n";
}

void SvgCanvas::circle(Point centre, double radius, std::string_view color) {
    svg_ += "<circle" + attribute("cx", centre.first) + attribute("cy", centre.second) +
            attribute("r", radius) + attribute("fill", color) + "/>\n";
}

void SvgCanvas::text(Point at, std::string_view text, TextAnchor anchor, double size) {
    constexpr std::string_view kNames[] = {"start", "middle", "end"};
    svg_ += "<text" + attribute("x", at.first) + attribute("y", at.second) +
            attribute("font-size", size) +
            attribute("text-anchor", kNames[static_cast<std::size_t>(anchor)]) + ">" +
            escaped(text) + "</text>\n";
}

std::string SvgCanvas::take() && {
    return std::move(svg_) + "</svg>\n";
}

}  // namespace mc::eval
