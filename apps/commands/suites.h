// SPDX-License-Identifier: Apache-2.0
// The suites of `megacontext eval run`, one file each, and what they have in common.
//
// A suite is a Command that declares itself below `run` with options of its own. To add one: its
// file suite_<name>.cpp, and a line in make_suites().
// Ownership, threads, errors: as Command.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/commands/command.h"
#include "eval/report/suite_report.h"

namespace mc::apps {

std::unique_ptr<Command> make_answers_suite();
std::unique_ptr<Command> make_chat_suite();
std::unique_ptr<Command> make_delta_nll_suite();
std::unique_ptr<Command> make_gist_probes_suite();
std::unique_ptr<Command> make_macro_suite();
std::unique_ptr<Command> make_retrieval_suite();
std::unique_ptr<Command> make_stream_suite();

// All of them, in the order of the help text.
std::vector<std::unique_ptr<Command>> make_suites();

// What every suite is given: documents, where results go, a seed.
class SuiteInputs {
  public:
    // Declares the suite's subcommand with --docs, --output and --seed; or without --docs, where it
    // brings its own texts.
    CLI::App* define(CLI::App& run, const std::string& suite, const std::string& description,
                     bool with_documents = true);

    const std::string& suite() const { return suite_; }

    // Into the options of a suite. The command line that they record is "megacontext eval run SUITE
    // --docs FILE… <own options> --seed N": the same for every way of giving the same options, so
    // that a resumed run records the same line.
    template <class Options>
    void give(Options& options, const std::string& own_options) const {
        if constexpr (requires { options.documents; })
            options.documents.assign(documents_.begin(), documents_.end());
        options.output = output_;
        options.seed = seed_;
        options.command_line = command_line(own_options);
    }

  private:
    std::string command_line(const std::string& own_options) const;

    std::string suite_;
    std::vector<std::string> documents_;
    std::string output_;
    std::uint64_t seed_ = 1;
};

// A word as a POSIX shell takes it, so that the recorded command can be pasted.
std::string shell_word(const std::string& word);

// " --flag" and a word for each; nothing when there are none.
std::string flag_words(const std::string& flag, const std::vector<std::string>& words);

// Words with commas between them.
std::string comma_list(const std::vector<std::string>& words);

// What a suite prints: its table and where its files lie, or all of it as JSON.
void print_suite(Output& out, const std::string& suite, const eval::SuiteReport& report);

}  // namespace mc::apps
