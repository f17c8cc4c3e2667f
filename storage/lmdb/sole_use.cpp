// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/sole_use.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace mc::storage {

Result<std::unique_ptr<SoleUse>> SoleUse::take(const Path& directory) {
    const Path path = directory / "lock.mdb";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return fail(system_error(errno, "cannot open", path));
    std::unique_ptr<SoleUse> use(new SoleUse(fd));

    struct flock first_byte {};

    first_byte.l_type = F_WRLCK;
    first_byte.l_whence = SEEK_SET;
    first_byte.l_len = 1;
    if (::fcntl(fd, F_SETLK, &first_byte) == 0) return use;
    if (errno != EACCES && errno != EAGAIN) return fail(system_error(errno, "cannot lock", path));
    return fail(ErrorCode::kLocked, "another process has the store at " + directory.string() +
                                        " open and would go on reading the old file: close it and "
                                        "try again");
}

SoleUse::~SoleUse() {
    ::close(fd_);
}

}  // namespace mc::storage
