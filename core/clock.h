// SPDX-License-Identifier: Apache-2.0
// Injected time. Production code asks a Clock; tests hand in a SimulatedClock that they move.
// Threads: const methods are free; SimulatedClock is for one thread.
#pragma once

#include <cstdint>

namespace mc {

class Clock {
  public:
    virtual ~Clock() = default;

    // Microseconds since the Unix epoch: for timestamps that are stored or shown.
    virtual std::int64_t now_us() const = 0;

    // Nanoseconds on a clock that never goes back: for durations.
    virtual std::int64_t monotonic_ns() const = 0;
};

// Between two readings of monotonic_ns().
inline double seconds_between(std::int64_t begin_ns, std::int64_t end_ns) {
    return static_cast<double>(end_ns - begin_ns) * 1e-9;
}

class SystemClock final : public Clock {
  public:
    std::int64_t now_us() const override;
    std::int64_t monotonic_ns() const override;
};

class SimulatedClock final : public Clock {
  public:
    std::int64_t now_us() const override { return now_us_; }

    std::int64_t monotonic_ns() const override { return now_us_ * 1000; }

    void advance_us(std::int64_t step_us) { now_us_ += step_us; }

  private:
    std::int64_t now_us_ = 1'700'000'000'000'000;  // any fixed day
};

}  // namespace mc
