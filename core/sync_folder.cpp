// SPDX-License-Identifier: Apache-2.0
#include "core/sync_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace mc {

Result<void> sync_folder(const Path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail(system_error(errno, "cannot open", folder));
    const int code = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    if (code != 0) return fail(system_error(code, "cannot sync", folder));
    return {};
}

}  // namespace mc
