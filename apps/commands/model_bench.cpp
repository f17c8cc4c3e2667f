// SPDX-License-Identifier: Apache-2.0
// `megacontext model bench`: tokens a second here, against what the machine could do.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/model.h"
#include "apps/terminal/text.h"
#include "lm/model_benchmark.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext model bench\n"
    "  megacontext model bench --prefill 512 2048 --decode 0 --json";

Json speed_json(const lm::SpeedAt& speed) {
    return {{"tokens", speed.tokens},
            {"tokens_per_second", speed.tokens_per_second},
            {"flops_per_token", speed.flops_per_token},
            {"bytes_per_token", speed.bytes_per_token},
            {"bound_tokens_per_second", speed.bound_tokens_per_second}};
}

Json parts_json(const lm::PartTimes& times) {
    Json parts = Json::array();
    for (const lm::PartTime& part : times.parts)
        parts.push_back({{"name", part.name}, {"seconds", part.seconds}, {"flops", part.flops}});
    return {{"tokens", times.tokens}, {"whole_seconds", times.whole_seconds}, {"parts", parts}};
}

Json benchmark_json(const lm::ModelBenchmark& bench, const std::string& device) {
    Json out = {{"device", device},
                {"machine",
                 {{"square_flops", bench.machine.square_flops},
                  {"layer_flops", bench.machine.layer_flops},
                  {"bytes_read_per_second", bench.machine.bytes_read}}},
                {"prefill", Json::array()},
                {"decode", Json::array()},
                {"parts", Json::array()}};
    for (const lm::SpeedAt& speed : bench.prefill) out["prefill"].push_back(speed_json(speed));
    for (const lm::SpeedAt& speed : bench.decode) out["decode"].push_back(speed_json(speed));
    for (const lm::PartTimes& times : bench.parts) out["parts"].push_back(parts_json(times));
    return out;
}

std::string percent(double share) {
    return format_number(100 * share) + " %";
}

void print_speeds(Output& out, const std::string& title, const std::vector<lm::SpeedAt>& speeds) {
    using Align = Table::Align;
    if (speeds.empty()) return;
    Table table({{title, Align::kRight},
                 {"tokens/s", Align::kRight},
                 {"bound", Align::kRight},
                 {"of bound", Align::kRight}});
    for (const lm::SpeedAt& speed : speeds)
        table.add_row({format_count(speed.tokens), format_number(speed.tokens_per_second),
                       format_number(speed.bound_tokens_per_second),
                       percent(speed.tokens_per_second / speed.bound_tokens_per_second)});
    table.print(out);
}

void print_parts(Output& out, const lm::PartTimes& times) {
    using Align = Table::Align;
    Table table({{"part, " + format_count(times.tokens) + " tokens"},
                 {"ms", Align::kRight},
                 {"of pass", Align::kRight},
                 {"GFLOPS", Align::kRight}});
    for (const lm::PartTime& part : times.parts)
        table.add_row({part.name, format_number(1e3 * part.seconds),
                       percent(part.seconds / times.whole_seconds),
                       part.flops > 0 ? format_number(1e-9 * part.flops / part.seconds) : "-"});
    table.add_row({"whole pass", format_number(1e3 * times.whole_seconds), "100 %", "-"});
    table.print(out);
}

void print_benchmark(Output& out, const lm::ModelBenchmark& bench, const std::string& device) {
    out.text(out.faint("runs on          ") + device);
    out.text(out.faint("matrix products  ") + format_number(1e-9 * bench.machine.square_flops) +
             " GFLOPS (4096 × 4096), " + format_number(1e-9 * bench.machine.layer_flops) +
             " (a layer's, 512 rows)");
    out.text(out.faint("memory           ") + format_number(1e-9 * bench.machine.bytes_read) +
             " GB/s read");
    print_speeds(out, "prefill", bench.prefill);
    print_speeds(out, "decode after", bench.decode);
    for (const lm::PartTimes& times : bench.parts) print_parts(out, times);
}

class ModelBenchCommand final : public Command {
  public:
    CLI::App* define(CLI::App& model, ConfigLayer&) override {
        CLI::App* app = model.add_subcommand(
            "bench", "Measure prefill and decode, and what the machine could do at most");
        app->add_option("--prefill", options_.prefill_tokens, "lengths of prompts, in tokens")
            ->type_name("N")
            ->capture_default_str();
        app->add_option("--decode", options_.decode_contexts, "tokens before the decoded ones")
            ->type_name("N")
            ->capture_default_str();
        app->add_option("--seconds", options_.seconds, "time for each number, at least three runs")
            ->type_name("S")
            ->check(CLI::Range(0.01, 600.0))
            ->capture_default_str();
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        MC_ASSIGN(const auto model, open_model(invocation.config));
        MC_ASSIGN(const lm::ModelBenchmark bench,
                  lm::benchmark_model(*model, options_, invocation.clock));
        if (invocation.out.json())
            invocation.out.json(benchmark_json(bench, model->device_description()));
        else
            print_benchmark(invocation.out, bench, model->device_description());
        return 0;
    }

  private:
    lm::ModelBenchmarkOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_model_bench_command() {
    return std::make_unique<ModelBenchCommand>();
}

}  // namespace mc::apps
