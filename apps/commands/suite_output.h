// SPDX-License-Identifier: Apache-2.0
// What `megacontext eval run` prints of a suite that logs likelihoods: its table and where its
// files lie, or all of it as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "apps/terminal/output.h"
#include "eval/report/suite_report.h"

namespace mc::apps {

inline void print_suite(Output& out, const std::string& suite, const eval::SuiteReport& report) {
    if (out.json()) {
        Json plots = Json::array();
        for (const auto& path : report.plot_paths) plots.push_back(path.string());
        out.json({{"suite", suite},
                  {"results_path", report.results_path.string()},
                  {"table_path", report.table_path.string()},
                  {"tokens_path", report.tokens_path.string()},
                  {"plot_paths", std::move(plots)},
                  {"results", Json::parse(report.results_json, nullptr, false)}});
        return;
    }
    out.raw(report.table);
    out.text("");
    out.text("results  " + report.results_path.string());
    out.text("tokens   " + report.tokens_path.string());
}

}  // namespace mc::apps
