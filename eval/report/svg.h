// SPDX-License-Identifier: Apache-2.0
// A minimal SVG 1.1 writer: lines, dots and text, on white.
//
// Equal calls give equal bytes. Coordinates in pixels, y downwards. Value type.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mc::eval {

enum class TextAnchor { kStart, kMiddle, kEnd };

class SvgCanvas {
  public:
    using Point = std::pair<double, double>;  // x, y

    SvgCanvas(double width, double height);

    void line(Point from, Point to, std::string_view color, double width);
    // dashes: an SVG dash pattern, empty for a solid line.
    void polyline(std::span<const Point> points, std::string_view color, std::string_view dashes);
    void circle(Point centre, double radius, std::string_view color);
    // Any bytes: what XML cannot hold becomes '?'.
    void text(Point at, std::string_view text, TextAnchor anchor, double size);

    // The whole document. Ends the canvas.
    std::string take() &&;

  private:
    std::string svg_;
};

}  // namespace mc::eval
