// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/folder_watch.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/source_text.h"

namespace mc::apps {
namespace {

constexpr int kQuietMs =
    100;  // after which what was written is whole: a copy of many files, a save
constexpr int kHeldMs = 1000;  // after which what could not be taken is tried again
constexpr int kLookMs = 500;   // between two looks at the flag, which may be set before the wait

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR;

bool is_hidden(const Path& path) {
    return path.filename().string().starts_with('.');
}

Result<void> cannot_watch(const Path& folder) {
    const int error_number = errno;
    if (error_number == ENOSPC)
        return fail(ErrorCode::kIo, "cannot watch " + folder.string() +
                                        ": the system watches no more folders; raise "
                                        "fs.inotify.max_user_watches");
    return fail(system_error(error_number, "cannot watch", folder));
}

}  // namespace

Result<FolderWatch> FolderWatch::open(const std::vector<Path>& folders) {
    FolderWatch watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (watch.descriptor_ < 0) return fail(system_error(errno, "cannot watch", folders.front()));
    for (const Path& folder : folders) MC_TRY(watch.add(folder, nullptr));
    watch.roots_ = folders;
    return watch;
}

FolderWatch::FolderWatch(FolderWatch&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      roots_(std::move(other.roots_)),
      folders_(std::move(other.folders_)) {}

FolderWatch::~FolderWatch() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

// Watched before it is listed, so that what comes in between is an event.
Result<void> FolderWatch::add(const Path& folder, std::set<Path>* notes) {
    const int number = ::inotify_add_watch(descriptor_, folder.c_str(), kEvents);
    if (number < 0) return cannot_watch(folder);
    folders_[number] = folder;
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator(folder, gone)) {
        std::error_code ignored;
        const auto type = entry.symlink_status(ignored).type();
        if (is_hidden(entry.path())) continue;
        if (type != std::filesystem::file_type::directory) {
            if (notes != nullptr) notes->insert(entry.path());
            continue;
        }
        // One that is gone again, or may not be entered, is for whoever lists the files to name.
        const auto added = add(entry.path(), notes);
        if (!added && added.error().code() == ErrorCode::kIo) return added;
    }
    return {};
}

Result<void> FolderWatch::read_events(std::set<Path>& written) {
    alignas(inotify_event) std::array<char, 65536> events{};
    const ssize_t size = ::read(descriptor_, events.data(), events.size());
    if (size < 0 && errno != EAGAIN && errno != EINTR)
        return fail(system_error(errno, "cannot watch", roots_.front()));
    for (ssize_t at = 0; at < size;) {
        inotify_event event{};
        std::memcpy(&event, events.data() + at, sizeof event);
        const char* const name = events.data() + at + sizeof event;
        at += static_cast<ssize_t>(sizeof event + event.len);
        if ((event.mask & IN_Q_OVERFLOW) != 0)  // some events are lost: any file may be meant
            for (const Path& root : roots_) MC_TRY(add(root, &written));
        const auto folder = folders_.find(event.wd);
        if (folder == folders_.end() || event.len == 0) continue;
        const Path path = folder->second / name;
        if (is_hidden(path)) continue;
        if ((event.mask & IN_ISDIR) != 0) {
            const auto added = add(path, &written);
            if (!added && added.error().code() == ErrorCode::kIo) return added;
        } else if ((event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0) {
            written.insert(path);
        }
    }
    return {};
}

Result<std::set<Path>> FolderWatch::wait(const std::atomic<bool>& interrupted,
                                         std::set<Path> held) {
    std::set<Path> written;
    while (!interrupted) {
        pollfd events{descriptor_, POLLIN, 0};
        const int patience = !written.empty() ? kQuietMs : held.empty() ? kLookMs : kHeldMs;
        const int ready = ::poll(&events, 1, patience);
        if (ready < 0 && errno != EINTR)
            return fail(system_error(errno, "cannot watch", roots_.front()));
        if (ready > 0) MC_TRY(read_events(written));
        if (ready != 0 || (written.empty() && held.empty())) continue;
        written.merge(held);
        return written;
    }
    return std::set<Path>();
}

}  // namespace mc::apps
