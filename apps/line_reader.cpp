// SPDX-License-Identifier: Apache-2.0
#include "apps/line_reader.h"

#include <editline/readline.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "apps/interrupt.h"
#include "apps/repl.h"

namespace mc::apps {
namespace {

constexpr int kHistoryLinesMax = 1000;

// $XDG_STATE_HOME/megacontext/history, below ~/.local/state by default.
std::optional<Path> find_history_file() {
    if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
        return Path(state) / "megacontext" / "history";
    if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
        return Path(home) / ".local" / "state" / "megacontext" / "history";
    return std::nullopt;
}

// The state-th dot-command that starts with the text, as libedit asks for them one by one.
char* next_completion(const char* text, int state) {
    const std::string_view prefix(text);
    int found = 0;
    for (const ReplCommand& command : repl_commands())
        if (command.name.starts_with(prefix) && found++ == state)
            return strndup(command.name.data(), command.name.size());
    return nullptr;
}

char** complete(const char* text, int begin, int) {
    const bool dot_command = begin == 0 && text[0] == '.';
    // Elsewhere libedit completes file names by itself.
    return dot_command ? rl_completion_matches(text, next_completion) : nullptr;
}

}  // namespace

LineReader::LineReader() : history_file_(find_history_file()) {
    rl_initialize();
    rl_catch_signals = 0;
    rl_attempted_completion_function = complete;
    using_history();
    stifle_history(kHistoryLinesMax);
    if (history_file_) read_history(history_file_->c_str());
}

LineReader::~LineReader() {
    if (!history_file_) return;
    std::error_code error;
    std::filesystem::create_directories(history_file_->parent_path(), error);
    if (error) return;
    write_history(history_file_->c_str());
    // Questions are private.
    std::filesystem::permissions(
        *history_file_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
        error);
}

std::optional<std::string> LineReader::read(const std::string& prompt) {
    const InterruptWatch watch;
    const std::unique_ptr<char, decltype(&std::free)> line(readline(prompt.c_str()), std::free);
    if (interrupt_flag()) {
        std::fputs("\n", stdout);
        return std::string();
    }
    if (!line) {
        std::fputs("\n", stdout);
        return std::nullopt;
    }
    if (*line != '\0') add_history(line.get());
    return std::string(line.get());
}

}  // namespace mc::apps
