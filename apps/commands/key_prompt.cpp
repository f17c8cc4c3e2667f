// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/key_prompt.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "core/descriptor.h"
#include "core/files.h"
#include "runtime/store_key.h"

namespace mc::apps {
namespace {

constexpr std::size_t kPassphraseBytesMax = 4096;
constexpr char kInterruptKey = 3;  // Ctrl-C

// What is typed is not shown while one of these lives. Ctrl-C is a key then: a signal would end the
// program and leave the terminal so.
class NoEcho {
  public:
    explicit NoEcho(int fd) : fd_(fd) {
        if (::tcgetattr(fd, &before_) != 0) return;
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
        changed_ = ::tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
    }

    ~NoEcho() {
        if (changed_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
    }

    NoEcho(const NoEcho&) = delete;
    NoEcho& operator=(const NoEcho&) = delete;

  private:
    const int fd_;
    termios before_{};
    bool changed_ = false;
};

// Byte by byte: what follows the line is for others to read.
Result<std::string> read_line(int fd) {
    std::string line;
    while (line.size() <= kPassphraseBytesMax) {
        char byte = 0;
        const ssize_t count = ::read(fd, &byte, 1);
        const bool ends = (count < 0 && errno == EINTR) || (count == 1 && byte == kInterruptKey);
        if (ends) return fail(ErrorCode::kCancelled, "interrupted; no passphrase was given");
        if (count < 0) return fail(system_error(errno, "cannot read", "the passphrase"));
        if (count == 0 && line.empty())
            return fail(ErrorCode::kCancelled, "no passphrase was given");
        if (count == 0 || byte == '\n') return line;
        if (byte != '\r') line += byte;
    }
    return fail(ErrorCode::kInvalidInput,
                "a passphrase has at most " + std::to_string(kPassphraseBytesMax) + " bytes");
}

void say(int fd, std::string_view text) {
    static_cast<void>(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

// What is typed as soon as the prompt stands there is not shown either.
Result<std::string> ask_on(int terminal, const std::string& prompt) {
    const NoEcho quiet(terminal);
    say(terminal, prompt);
    auto line = read_line(terminal);
    say(terminal, "\n");
    return line;
}

Result<std::string> ask(const std::string& prompt, bool twice) {
    const Descriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
    if (terminal.get() < 0) return read_line(STDIN_FILENO);
    MC_ASSIGN(std::string typed, ask_on(terminal.get(), prompt + ": "));
    if (!twice) return typed;
    MC_ASSIGN(const std::string again, ask_on(terminal.get(), prompt + ", again: "));
    if (typed == again) return typed;
    return fail(ErrorCode::kUsage, "the two passphrases differ");
}

}  // namespace

// An empty one would count as none, and a new store would not be encrypted.
Result<std::string> ask_passphrase(const std::string& prompt, bool twice) {
    MC_ASSIGN(std::string typed, ask(prompt, twice));
    if (typed.empty()) return fail(ErrorCode::kInvalidInput, "the passphrase is empty");
    return typed;
}

Result<void> complete_key(Config& config, bool opens_store) {
    if (config.passphrase_file == "-") {
        const bool is_new = !runtime::store_exists(config.store);
        MC_ASSIGN(config.passphrase,
                  ask_passphrase("Passphrase of " + config.store.string(), is_new));
        config.passphrase_file.clear();
        return {};
    }
    if (!opens_store || Descriptor(::open("/dev/tty", O_RDWR | O_CLOEXEC)).get() < 0) return {};
    if (const auto store = runtime::wants_passphrase(config)) {
        MC_ASSIGN(config.passphrase, ask_passphrase("Passphrase of " + *store, false));
    }
    return {};
}

}  // namespace mc::apps
