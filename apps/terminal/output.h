// SPDX-License-Identifier: Apache-2.0
// Where a command's results and errors go: results to one stream, everything else to another.
//
// Text for people or JSON for machines, chosen once per run (the REPL may switch). JSON results are
// one value per line with stable keys; numbers are numbers, NaN is null, invalid UTF-8 is replaced.
// Ownership: keeps references to both streams; they outlive it. Threads: one. Errors: finish()
// reports results that could not be written.
#pragma once

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace mc::apps {

using Json = nlohmann::ordered_json;

struct OutputStyle {
    bool json = false;
    bool color = false;     // of results
    bool unicode = false;   // the locale is UTF-8
    bool terminal = false;  // results go to a terminal
};

class Output {
  public:
    Output(std::ostream& results, std::ostream& messages, OutputStyle style)
        : results_(results), messages_(messages), style_(style) {}

    bool json() const { return style_.json; }

    void set_json(bool json) { style_.json = json; }

    bool unicode() const { return style_.unicode; }

    bool terminal() const { return style_.terminal; }

    // Results. text() ends the line, raw() writes exactly these bytes.
    void text(std::string_view line);
    void raw(std::string_view bytes);
    void json(const Json& value);

    // Messages.
    void note(std::string_view line);
    // "megacontext: error: …", or {"error":{"code":…,"message":…}} with JSON; always one line.
    void error(const Error& error);
    // The same of code "internal", for a fault of this program that no fence caught.
    void internal_error(std::string_view what);

    std::string strong(std::string_view text) const;
    std::string faint(std::string_view text) const;

    void flush();
    // kIo when any result could not be written (a full disk, a closed descriptor).
    Result<void> finish();

  private:
    void error_line(std::string_view code, const std::string& message);

    std::ostream& results_;
    std::ostream& messages_;
    OutputStyle style_;
};

// Style from the environment: NO_COLOR, TERM, whether standard output is a terminal, the locale.
OutputStyle style_from_environment(bool json, bool no_color);

// Columns of text, each as wide as its widest cell; a header line first.
class Table {
  public:
    enum class Align { kLeft, kRight };

    struct Column {
        std::string title;
        Align align = Align::kLeft;
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    // Requires: one cell per column.
    void add_row(std::vector<std::string> cells);
    void print(Output& out) const;

  private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace mc::apps
