// SPDX-License-Identifier: Apache-2.0
#include "telemetry/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace mc::telemetry {
namespace {

constexpr std::int64_t kRedrawNs = 100'000'000;
constexpr unsigned kBarCells = 20;
constexpr unsigned kColumnsUnknown = 80;  // a terminal that does not tell its width

std::string with_thousands(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return digits;
}

// "0:07", "12:30", "3:05:00".
std::string clock_text(double seconds) {
    const auto total = static_cast<std::uint64_t>(std::llround(std::min(seconds, 359'999.0)));
    char text[32];
    if (total >= 3600)
        std::snprintf(text, sizeof text, "%llu:%02llu:%02llu",
                      static_cast<unsigned long long>(total / 3600),
                      static_cast<unsigned long long>(total / 60 % 60),
                      static_cast<unsigned long long>(total % 60));
    else
        std::snprintf(text, sizeof text, "%llu:%02llu", static_cast<unsigned long long>(total / 60),
                      static_cast<unsigned long long>(total % 60));
    return text;
}

std::string bar_text(double share) {
    const auto filled = static_cast<unsigned>(share * kBarCells);
    return " [" + std::string(filled, '#') + std::string(kBarCells - filled, '.') + "] " +
           std::to_string(static_cast<int>(share * 100)) + "%";
}

unsigned terminal_columns(int fd) {
    if (::isatty(fd) != 1) return 0;
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kColumnsUnknown;
    return size.ws_col;
}

}  // namespace

std::string progress_line(const ProgressState& state, unsigned columns) {
    std::string line(state.stage);
    const double share = std::clamp(state.share_done.value_or(0.0), 0.0, 1.0);
    if (state.share_done) line += bar_text(share);
    line += "  " + with_thousands(state.tokens) + " tokens";
    if (state.elapsed_s > 0 && state.tokens > 0) {
        const double rate = static_cast<double>(state.tokens) / state.elapsed_s;
        line += "  " + with_thousands(static_cast<std::uint64_t>(rate)) + " tokens/s";
    }
    if (state.share_done && share > 0 && share < 1 && state.elapsed_s > 0)
        line += "  " + clock_text(state.elapsed_s * (1 - share) / share) + " left";
    if (line.size() > columns) line.resize(columns);
    return line;
}

ProgressBar ProgressBar::for_stderr(const Clock& clock) {
    return ProgressBar(std::cerr, terminal_columns(STDERR_FILENO), clock);
}

ProgressBar::ProgressBar(std::ostream& stream, unsigned columns, const Clock& clock)
    : stream_(stream), columns_(columns), clock_(clock), begin_ns_(clock.monotonic_ns()) {}

ProgressBar::~ProgressBar() {
    clear();
}

void ProgressBar::begin(std::string_view stage) {
    clear();
    stage_ = stage;
    begin_ns_ = clock_.monotonic_ns();
}

void ProgressBar::update(std::uint64_t tokens, std::optional<double> share_done) {
    if (columns_ == 0) return;
    const std::int64_t now = clock_.monotonic_ns();
    if (drawn_ns_ && now - *drawn_ns_ < kRedrawNs) return;
    drawn_ns_ = now;
    const double elapsed_s = static_cast<double>(now - begin_ns_) * 1e-9;
    const std::string line = progress_line({stage_, tokens, elapsed_s, share_done}, columns_ - 1);
    stream_ << '\r' << line << "\x1b[K" << std::flush;
}

void ProgressBar::clear() {
    if (!drawn_ns_) return;
    drawn_ns_.reset();
    stream_ << "\r\x1b[K" << std::flush;
}

}  // namespace mc::telemetry
