// SPDX-License-Identifier: Apache-2.0
// `megacontext eval run answers`.
#include <CLI/CLI.hpp>

#include "apps/commands/suites.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "eval/answers/program/answers.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

std::string numbers_list(const std::vector<std::uint64_t>& numbers) {
    std::vector<std::string> words;
    for (const std::uint64_t number : numbers) words.push_back(std::to_string(number));
    return comma_list(words);
}

// "4k", "1M" and plain numbers, none of them 0.
Result<std::vector<std::uint64_t>> parse_sizes(const std::vector<std::string>& words,
                                               const std::string& flag) {
    constexpr std::uint64_t kSizeMax = 1'000'000'000;
    std::vector<std::uint64_t> sizes;
    for (const std::string& word : words) {
        const std::uint64_t unit = word.ends_with('k')   ? 1'000
                                   : word.ends_with('M') ? 1'000'000
                                                         : 1;
        const auto count = parse_count(word.substr(0, word.size() - (unit > 1 ? 1 : 0)));
        if (!count || *count == 0 || *count > kSizeMax / unit)
            return fail(ErrorCode::kUsage,
                        flag + ": '" + printable(word) + "' is no size; write 4000, 4k or 1M");
        sizes.push_back(*count * unit);
    }
    return sizes;
}

class AnswersSuite final : public Command {
  public:
    CLI::App* define(CLI::App& run, ConfigLayer& flags) override;
    Result<int> run(Invocation& invocation) override;

  private:
    std::string own_options() const;

    SuiteInputs inputs_;
    eval::AnswersOptions options_;
    std::vector<std::string> lengths_{"1k", "4k", "16k"};
    std::vector<std::string> sentence_counts_{"100", "1000"};
};

CLI::App* AnswersSuite::define(CLI::App& run, ConfigLayer&) {
    CLI::App* app = inputs_.define(
        run, "answers", "What the reader answers with our window, with passages, with nothing");
    const auto add_list = [&](const char* flag, auto& values, const char* help) {
        app->add_option(flag, values, help)->delimiter(',')->capture_default_str();
    };
    app->add_option("--families", options_.families, "kinds of questions; default: all")
        ->delimiter(',');
    add_list("--lengths", lengths_, "tokens of a memory");
    add_list("--sentences", sentence_counts_, "documents of a memory of family one-sentence");
    app->add_option("--items", options_.items, "questions of each family")
        ->type_name("N")
        ->capture_default_str();
    add_list("--rows", options_.rows.rows, "what the reader sees");
    add_list("--policies", options_.rows.policies, "of the working context");
    add_list("--budgets", options_.rows.budgets, "entries of the working context");
    add_list("--background", options_.rows.backgrounds, "most gists in front, of policy passages");
    return app;
}

std::string AnswersSuite::own_options() const {
    const std::string families =
        options_.families.empty() ? "" : " --families " + comma_list(options_.families);
    return families + " --lengths " + numbers_list(options_.lengths) + " --sentences " +
           numbers_list(options_.sentence_counts) + " --items " + std::to_string(options_.items) +
           " --rows " + comma_list(options_.rows.rows) + " --policies " +
           comma_list(options_.rows.policies) + " --budgets " +
           numbers_list(options_.rows.budgets) + " --background " +
           numbers_list(options_.rows.backgrounds);
}

Result<int> AnswersSuite::run(Invocation& invocation) {
    MC_ASSIGN(options_.lengths, parse_sizes(lengths_, "--lengths"));
    MC_ASSIGN(options_.sentence_counts, parse_sizes(sentence_counts_, "--sentences"));
    inputs_.give(options_, own_options());
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin(inputs_.suite());
    const auto progress = [&bar](const eval::AnswersProgress& state) {
        bar.update(state.readings_done, static_cast<double>(state.readings_done) /
                                            static_cast<double>(state.readings_total));
    };
    MC_ASSIGN(const auto report, eval::run_answers(invocation.config, invocation.metrics, options_,
                                                   progress, &invocation.interrupted));
    bar.clear();
    print_suite(invocation.out, inputs_.suite(), report);
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_answers_suite() {
    return std::make_unique<AnswersSuite>();
}

}  // namespace mc::apps
