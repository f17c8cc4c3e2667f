// SPDX-License-Identifier: Apache-2.0
// Child processes for tests of what must survive one: run a function in a child and see how it
// ended, or talk to it through a pipe and kill it. POSIX.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>

namespace mc::storage {

// How a child ended: exit code, or minus the signal's number.
inline int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// Runs body in a child; its value is the exit code.
inline int run_in_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    return wait_for(child);
}

// A child that can tell and be told, a byte at a time.
class TalkingChild {
  public:
    // The child's end of the line: say() sends, listen() waits for a byte or the parent's end (0).
    class Line {
      public:
        Line(int in, int out) : in_(in), out_(out) {}

        void say(char c) const { static_cast<void>(::write(out_, &c, 1) == 1); }

        char listen() const {
            char c = 0;
            return ::read(in_, &c, 1) == 1 ? c : '\0';
        }

      private:
        int in_;
        int out_;
    };

    explicit TalkingChild(const std::function<int(const Line&)>& body) {
        int down[2];
        int up[2];
        if (::pipe(down) != 0 || ::pipe(up) != 0) std::abort();
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(down[1]);
            ::close(up[0]);
            ::_exit(body(Line(down[0], up[1])));
        }
        ::close(down[0]);
        ::close(up[1]);
        in_ = up[0];
        out_ = down[1];
    }

    ~TalkingChild() {
        if (pid_ > 0) kill();
        ::close(in_);
        ::close(out_);
    }

    TalkingChild(const TalkingChild&) = delete;
    TalkingChild& operator=(const TalkingChild&) = delete;

    pid_t pid() const { return pid_; }

    Line line() const { return {in_, out_}; }

    int kill() {
        ::kill(pid_, SIGKILL);
        return wait();
    }

    int wait() {
        const int ended = wait_for(pid_);
        pid_ = -1;
        return ended;
    }

  private:
    pid_t pid_ = -1;
    int in_ = -1;
    int out_ = -1;
};

}  // namespace mc::storage
