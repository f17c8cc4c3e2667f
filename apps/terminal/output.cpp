// SPDX-License-Identifier: Apache-2.0
#include "apps/terminal/output.h"

#include <langinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <ostream>

#include "apps/terminal/text.h"
#include "core/check.h"

namespace mc::apps {
namespace {

std::string dumped(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// One line whatever a path or a name in the message holds.
std::string on_one_line(std::string_view message) {
    std::string line = printable(message);
    std::replace(line.begin(), line.end(), '\n', ' ');
    std::replace(line.begin(), line.end(), '\t', ' ');
    return line;
}

bool is_set(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

}  // namespace

void Output::text(std::string_view line) {
    results_ << line << '\n';
}

void Output::raw(std::string_view bytes) {
    results_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void Output::json(const Json& value) {
    results_ << dumped(value) << '\n';
}

void Output::note(std::string_view line) {
    messages_ << on_one_line(line) << '\n' << std::flush;
}

void Output::error(const Error& error) {
    error_line(error_code_name(error.code()), error.to_string());
}

void Output::internal_error(std::string_view what) {
    error_line("internal", "a fault of megacontext itself: " + std::string(what));
}

void Output::error_line(std::string_view code, const std::string& message) {
    results_.flush();
    if (json()) {
        const Json line{{"error", {{"code", std::string(code)}, {"message", message}}}};
        messages_ << dumped(line) << '\n' << std::flush;
        return;
    }
    messages_ << "megacontext: error: " << on_one_line(message) << '\n' << std::flush;
}

std::string Output::strong(std::string_view text) const {
    return style_.color ? "\x1b[1m" + std::string(text) + "\x1b[0m" : std::string(text);
}

std::string Output::faint(std::string_view text) const {
    return style_.color ? "\x1b[2m" + std::string(text) + "\x1b[0m" : std::string(text);
}

void Output::flush() {
    results_.flush();
}

Result<void> Output::finish() {
    results_.flush();
    if (!results_) return fail(ErrorCode::kIo, "standard output could not be written");
    return {};
}

OutputStyle style_from_environment(bool json, bool no_color) {
    OutputStyle style;
    style.json = json;
    style.terminal = isatty(STDOUT_FILENO) == 1;
    const char* terminal_type = std::getenv("TERM");
    const bool dumb = terminal_type != nullptr && std::string_view(terminal_type) == "dumb";
    style.color = style.terminal && !no_color && !dumb && !is_set("NO_COLOR");
    style.unicode = std::string_view(nl_langinfo(CODESET)) == "UTF-8";
    return style;
}

void Table::add_row(std::vector<std::string> cells) {
    MC_CHECK(cells.size() == columns_.size(), "a cell per column");
    rows_.push_back(std::move(cells));
}

void Table::print(Output& out) const {
    std::vector<std::size_t> widths;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        std::size_t width = width_of(columns_[c].title);
        for (const auto& row : rows_) width = std::max(width, width_of(row[c]));
        widths.push_back(width);
    }
    const auto line_of = [&](const auto& cell_of) {
        std::string line;
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            const std::string& cell = cell_of(c);
            const std::string padding(widths[c] - width_of(cell), ' ');
            const bool right = columns_[c].align == Align::kRight;
            line += right ? padding + cell : cell + padding;
            if (c + 1 < columns_.size()) line += "  ";
        }
        while (!line.empty() && line.back() == ' ') line.pop_back();
        return line;
    };
    out.text(
        out.faint(line_of([&](std::size_t c) -> const std::string& { return columns_[c].title; })));
    for (const auto& row : rows_)
        out.text(line_of([&](std::size_t c) -> const std::string& { return row[c]; }));
}

}  // namespace mc::apps
