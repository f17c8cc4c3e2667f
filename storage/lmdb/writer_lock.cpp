// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/writer_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace mc::storage {
namespace {

std::string holder_of(int fd) {
    char text[32];
    const ssize_t count = ::pread(fd, text, sizeof text, 0);
    const std::string pid(text, count > 0 ? static_cast<std::size_t>(count) : 0);
    return pid.empty() ? "another process" : "process " + pid.substr(0, pid.find('\n'));
}

}  // namespace

Result<std::unique_ptr<WriterLock>> WriterLock::acquire(const Path& directory) {
    const Path path = directory / "writer.lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return fail(system_error(errno, "cannot write to store: cannot open", path));
    std::unique_ptr<WriterLock> lock(new WriterLock(fd));
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return fail(system_error(errno, "cannot lock", path));
        return fail(ErrorCode::kLocked, "store " + directory.string() + " is being written by " +
                                            holder_of(fd) + "; wait for it or stop it");
    }
    // The id is for messages alone, so a full disk that cannot hold it does not matter.
    const std::string pid = std::to_string(::getpid()) + "\n";
    static_cast<void>(::ftruncate(fd, 0) == 0 &&
                      ::pwrite(fd, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size()));
    return lock;
}

WriterLock::~WriterLock() {
    ::close(fd_);
}

}  // namespace mc::storage
