// SPDX-License-Identifier: Apache-2.0
// What must hold before any other code of the process runs, constructors of shared libraries
// included: descriptors 0 to 2 are taken, and the working folder has a name.
//
// A program that is started with one of the descriptors closed gets that number for the next file
// it opens; a store's data.mdb under number 2 is overwritten by the first message. In a working
// folder that was removed, oneMKL ends the process while it is loaded; it is loaded in / then, and
// the process goes back to where it was before main() runs.
#include <fcntl.h>
#include <limits.h>  // NOLINT: PATH_MAX is POSIX
#include <unistd.h>

#include <cerrno>

namespace {

constexpr int kIoStatus = 4;  // as core/error.h has it

int removed_folder = -1;

// The other way round, so that reading and writing fail as they do on a closed descriptor.
void open_missing_descriptors() {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
        if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
        const int way = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY;
        if (::open("/dev/null", way) != descriptor) ::_exit(kIoStatus);
    }
}

void leave_removed_folder() {
    char path[PATH_MAX];
    if (::getcwd(path, sizeof path) != nullptr || errno != ENOENT) return;
    removed_folder = ::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (removed_folder >= 0 && ::chdir("/") != 0) ::_exit(kIoStatus);
}

void begin(int, char**, char**) {
    open_missing_descriptors();
    leave_removed_folder();
}

[[gnu::section(".preinit_array"), gnu::used]] void (*run_first)(int, char**, char**) = begin;

[[gnu::constructor]] void go_back() {
    if (removed_folder < 0) return;
    if (::fchdir(removed_folder) != 0) ::_exit(kIoStatus);
    ::close(removed_folder);
}

}  // namespace
