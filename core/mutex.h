// SPDX-License-Identifier: Apache-2.0
// Mutexes that know what they guard: clang's -Wthread-safety refuses code that touches a member
// marked MC_GUARDED_BY without the lock (tools/check_thread_safety.py runs it). The standard's own
// mutexes carry no marks with libstdc++. Under other compilers the marks are nothing.
#pragma once

#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define MC_THREAD_MARK(mark) __attribute__((mark))
#else
#define MC_THREAD_MARK(mark)
#endif

// A member that is read and written under a mutex alone.
#define MC_GUARDED_BY(mutex) MC_THREAD_MARK(guarded_by(mutex))
// A function that is called with the mutex held, or held by readers.
#define MC_REQUIRES(mutex) MC_THREAD_MARK(requires_capability(mutex))
#define MC_REQUIRES_SHARED(mutex) MC_THREAD_MARK(requires_shared_capability(mutex))

namespace mc {

class MC_THREAD_MARK(capability("mutex")) Mutex {
  public:
    void lock() MC_THREAD_MARK(acquire_capability()) { mutex_.lock(); }

    void unlock() MC_THREAD_MARK(release_capability()) { mutex_.unlock(); }

  private:
    std::mutex mutex_;
};

// One writer or any number of readers.
class MC_THREAD_MARK(capability("mutex")) SharedMutex {
  public:
    void lock() MC_THREAD_MARK(acquire_capability()) { mutex_.lock(); }

    void unlock() MC_THREAD_MARK(release_capability()) { mutex_.unlock(); }

    void lock_shared() MC_THREAD_MARK(acquire_shared_capability()) { mutex_.lock_shared(); }

    void unlock_shared() MC_THREAD_MARK(release_shared_capability()) { mutex_.unlock_shared(); }

  private:
    std::shared_mutex mutex_;
};

// Holds a mutex for a scope.
template <class Held>
class MC_THREAD_MARK(scoped_lockable) ScopedLock {
  public:
    explicit ScopedLock(Held& mutex) MC_THREAD_MARK(acquire_capability(mutex)) : mutex_(mutex) {
        mutex_.lock();
    }

    ~ScopedLock() MC_THREAD_MARK(release_capability()) { mutex_.unlock(); }

    ScopedLock(const ScopedLock&) = delete;
    ScopedLock& operator=(const ScopedLock&) = delete;

  private:
    Held& mutex_;
};

// Holds a SharedMutex for a scope, beside other readers.
class MC_THREAD_MARK(scoped_lockable) ReaderLock {
  public:
    explicit ReaderLock(SharedMutex& mutex) MC_THREAD_MARK(acquire_shared_capability(mutex))
        : mutex_(mutex) {
        mutex_.lock_shared();
    }

    ~ReaderLock() MC_THREAD_MARK(release_generic_capability()) { mutex_.unlock_shared(); }

    ReaderLock(const ReaderLock&) = delete;
    ReaderLock& operator=(const ReaderLock&) = delete;

  private:
    SharedMutex& mutex_;
};

}  // namespace mc
