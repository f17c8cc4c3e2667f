// SPDX-License-Identifier: Apache-2.0
// remember STORE QUESTION: tells a memory two things and prints what it finds for a question.
#include <cstdlib>
#include <iostream>

#include "runtime/memory.h"

namespace {

// Every call gives a value or an error that says what to do.
mc::Result<void> run(const char* store, const char* question) {
    mc::ConfigLayer given;  // stronger than environment and files, as a flag is
    given.values[mc::Setting::kStore] = {store, "the first argument"};
    MC_ASSIGN(const auto settings, mc::load_config(given, mc::process_environment(), "."));
    mc::telemetry::Metrics metrics;
    MC_ASSIGN(const auto memory, mc::runtime::Memory::open(settings.config, metrics));

    mc::runtime::RememberRequest request;
    for (const char* text :
         {"Anna Barlow keeps a tortoise named Zebulon.", "The bell was cast in Lisbon."}) {
        request.text = text;
        MC_TRY(memory->remember(request));
    }

    mc::runtime::RecallRequest asked;
    asked.question = question;
    MC_ASSIGN(const auto found, memory->recall(asked));
    if (!found.report.known) std::cout << "nothing is known of it\n";
    for (const mc::runtime::Evidence& one : found.report.evidence)
        std::cout << one.score << "  " << one.document.source_name << ": " << one.text << '\n';
    while (memory->make_some_gists()) {  // now that nobody asks
    }
    return {};
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::cerr << "usage: remember STORE QUESTION\n";
        return EXIT_FAILURE;
    }
    const auto done = run(arguments[1], arguments[2]);
    if (done) return EXIT_SUCCESS;
    std::cerr << done.error().to_string() << '\n';
    return EXIT_FAILURE;
}
