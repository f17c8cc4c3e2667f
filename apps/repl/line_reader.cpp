// SPDX-License-Identifier: Apache-2.0
#include "apps/repl/line_reader.h"

#include <histedit.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "core/files.h"

namespace mc::apps {
namespace {

constexpr int kHistoryLinesMax = 1000;

// $XDG_STATE_HOME/megacontext/NAME, below ~/.local/state by default; none without a name.
std::optional<Path> find_history_file(std::string_view name) {
    if (name.empty()) return std::nullopt;
    if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
        return Path(state) / "megacontext" / name;
    if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
        return Path(home) / ".local" / "state" / "megacontext" / name;
    return std::nullopt;
}

// What the commands that start with the text have in common after it; empty when nothing.
std::string completion_of(std::string_view text, const std::vector<std::string_view>& commands) {
    std::optional<std::string_view> common;
    for (const std::string_view command : commands) {
        if (!command.starts_with(text)) continue;
        if (!common) common = command;
        while (!command.starts_with(*common)) common->remove_suffix(1);
    }
    return common ? std::string(common->substr(text.size())) : std::string();
}

}  // namespace

struct LineReader::Editor {
    EditLine* line = nullptr;
    History* history = nullptr;
    HistEvent event{};
    std::string prompt;
    bool interrupted = false;
    std::vector<std::string_view> commands;
    std::optional<Path> history_file;

    static Editor& of(EditLine* line) {
        Editor* editor = nullptr;
        el_get(line, EL_CLIENTDATA, &editor);
        return *editor;
    }

    static char* prompt_of(EditLine* line) { return of(line).prompt.data(); }

    static unsigned char on_interrupt(EditLine* line, int) {
        of(line).interrupted = true;
        return CC_NEWLINE;
    }

    // Dot-commands at the start of the line, file names elsewhere.
    static unsigned char on_tab(EditLine* line, int key) {
        const LineInfo* info = el_line(line);
        const std::string_view typed(info->buffer,
                                     static_cast<std::size_t>(info->cursor - info->buffer));
        if (!typed.starts_with('.') || typed.find(' ') != std::string_view::npos)
            return _el_fn_complete(line, key);
        const std::string rest = completion_of(typed, of(line).commands);
        if (rest.empty()) return CC_REFRESH_BEEP;
        el_insertstr(line, rest.c_str());
        return CC_REFRESH;
    }
};

LineReader::LineReader(std::string_view history_name, std::vector<std::string_view> commands)
    : editor_(std::make_unique<Editor>()) {
    Editor& editor = *editor_;
    editor.commands = std::move(commands);
    editor.history_file = find_history_file(history_name);
    editor.line = el_init("megacontext", stdin, stdout, stderr);
    editor.history = history_init();
    history(editor.history, &editor.event, H_SETSIZE, kHistoryLinesMax);
    history(editor.history, &editor.event, H_SETUNIQUE, 1);
    if (editor.history_file)
        history(editor.history, &editor.event, H_LOAD, editor.history_file->c_str());
    el_set(editor.line, EL_CLIENTDATA, &editor);
    el_set(editor.line, EL_PROMPT, &Editor::prompt_of);
    el_set(editor.line, EL_EDITOR, "emacs");
    el_set(editor.line, EL_HIST, history, editor.history);
    el_set(editor.line, EL_ADDFN, "mc-interrupt", "Drop the line", &Editor::on_interrupt);
    el_set(editor.line, EL_ADDFN, "mc-complete", "Complete", &Editor::on_tab);
    el_set(editor.line, EL_BIND, "^C", "mc-interrupt", nullptr);
    el_set(editor.line, EL_BIND, "^I", "mc-complete", nullptr);
    // Keys, not signals: a signal could arrive between two reads and be seen only at the next key.
    el_set(editor.line, EL_SETTY, "-d", "-isig", nullptr);
}

LineReader::~LineReader() {
    Editor& editor = *editor_;
    std::error_code error;
    if (editor.history_file) {
        std::filesystem::create_directories(editor.history_file->parent_path(), error);
        history(editor.history, &editor.event, H_SAVE, editor.history_file->c_str());
        // Questions are private.
        std::filesystem::permissions(
            *editor.history_file,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
    }
    history_end(editor.history);
    el_end(editor.line);
}

std::optional<std::string> LineReader::read(const std::string& prompt) {
    Editor& editor = *editor_;
    editor.prompt = prompt;
    editor.interrupted = false;
    // Before the prompt: what is typed as soon as it stands there is meant for the editor.
    el_set(editor.line, EL_PREP_TERM, 1);
    int length = 0;
    const char* text = el_gets(editor.line, &length);
    if (editor.interrupted) return std::string();
    if (text == nullptr || length <= 0) {
        std::fputs("\n", stdout);
        return std::nullopt;
    }
    std::string line(text, static_cast<std::size_t>(length));
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    if (!line.empty()) history(editor.history, &editor.event, H_ENTER, line.c_str());
    return line;
}

}  // namespace mc::apps
