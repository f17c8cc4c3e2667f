// SPDX-License-Identifier: Apache-2.0
#include "eval/report/suite_report.h"

#include <span>
#include <utility>

namespace mc::eval {

Result<void> write_text(const Path& path, const std::string& text) {
    return replace_file(path, std::as_bytes(std::span(text)));
}

Result<SuiteReport> write_suite_report(const Path& source, std::string table,
                                       std::string results_json, const std::vector<Plot>& plots) {
    const Path folder = source.parent_path();
    SuiteReport report;
    report.table = std::move(table);
    report.results_json = std::move(results_json);
    report.table_path = folder / "table.md";
    report.results_path = folder / "results.json";
    report.source_path = source;
    for (const Plot& plot : plots) {
        report.plot_paths.push_back(folder / plot.file_name);
        MC_TRY(write_text(report.plot_paths.back(), plot.svg));
    }
    MC_TRY(write_text(report.table_path, report.table));
    MC_TRY(write_text(report.results_path, report.results_json));
    return report;
}

}  // namespace mc::eval
