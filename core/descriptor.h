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
    explicit Descriptor(int fd = -1) : fd_(fd) {}

    Descriptor(Descriptor&& other) noexcept : fd_(other.take()) {}

    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }

    ~Descriptor() { reset(); }

    void reset() {
        if (fd_ >= 0) ::close(take());
    }

    int get() const { return fd_; }

    int take() { return std::exchange(fd_, -1); }

  private:
    int fd_;
};

}  // namespace mc
