// SPDX-License-Identifier: Apache-2.0
// What a suite tells while it runs, and leaves at its end.
//
// Value types. Threads: none shared. Errors: those of replace_file (core/files.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "eval/report/plots.h"

namespace mc::eval {

// Of a suite that logs likelihoods window by window.
struct SuiteProgress {
    std::uint64_t windows_done = 0;  // with every condition, those of an earlier run included
    std::uint64_t windows_total = 0;
};

using SuiteProgressCallback = std::function<void(const SuiteProgress&)>;

struct SuiteReport {
    std::string table;         // Markdown: what table.md holds
    std::string results_json;  // what results.json holds
    Path table_path;
    Path results_path;
    Path source_path;  // what the results are made from
    std::vector<Path> plot_paths;
};

Result<void> write_text(const Path& path, const std::string& text);

// Writes the plots, table.md and, last, results.json beside `source`, which is there already.
Result<SuiteReport> write_suite_report(const Path& source, std::string table,
                                       std::string results_json, const std::vector<Plot>& plots);

}  // namespace mc::eval
