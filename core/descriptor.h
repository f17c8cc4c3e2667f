// SPDX-License-Identifier: Apache-2.0
// A file descriptor that is closed at scope end, unless it was taken.
//
// Ownership: owns its descriptor; a negative one is none. Threads: none shared.
#pragma once

#include <unistd.h>

#include <utility>

namespace mc {

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}

    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    Descriptor& operator=(Descriptor&& other) {
        std::swap(fd_, other.fd_);
        return *this;
    }

    int get() const { return fd_; }

    int take() { return std::exchange(fd_, -1); }

  private:
    int fd_;
};

}  // namespace mc
