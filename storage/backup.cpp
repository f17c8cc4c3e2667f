// SPDX-License-Identifier: Apache-2.0
#include "storage/backup.h"

#include <fcntl.h>
#include <stdio.h>  // NOLINT: renameat2 is not in <cstdio>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

#include "core/sync_folder.h"
#include "storage/lmdb/create_store.h"
#include "storage/lmdb/lmdb_env.h"
#include "storage/lmdb/writer_lock.h"

namespace mc::storage {
namespace {

namespace fs = std::filesystem;

// What a backup makes in its draft.
constexpr const char* kDraftFiles[] = {"data.mdb", "lock.mdb", "writer.lock"};

// From the root and without a slash at its end: it has a parent, and a name that can be added to.
Result<Path> plain_path(const Path& path) {
    std::error_code error;
    const Path from_root = fs::absolute(path, error);
    Path plain = error ? Path() : fs::weakly_canonical(from_root, error);
    if (error) return fail(system_error(error.value(), "cannot find", path));
    return plain.has_filename() ? plain : plain.parent_path();
}

Error taken(const Path& destination) {
    return Error(ErrorCode::kInvalidInput,
                 destination.string() +
                     " exists already; a backup makes a folder of its own: name another one");
}

Result<void> check_places(const Path& directory, const Path& destination) {
    std::error_code ignored;
    if (!fs::exists(directory / "data.mdb", ignored))
        return fail(ErrorCode::kInvalidInput, "no store at " + directory.string());
    if (fs::symlink_status(destination, ignored).type() != fs::file_type::not_found)
        return fail(taken(destination));
    const Path store = fs::weakly_canonical(directory, ignored);
    const auto ends =
        std::mismatch(store.begin(), store.end(), destination.begin(), destination.end());
    if (ends.first == store.end())
        return fail(ErrorCode::kInvalidInput, destination.string() +
                                                  " lies in the store itself; name a folder "
                                                  "elsewhere");
    return {};
}

// A folder of that name that no backup made is not for us to empty.
Result<void> make_draft(const Path& draft) {
    MC_TRY(make_private_folder(draft));
    std::error_code error;
    fs::directory_iterator entry(draft, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error))
        if (std::ranges::find(kDraftFiles, entry->path().filename()) == std::end(kDraftFiles))
            return fail(ErrorCode::kInvalidInput,
                        draft.string() +
                            " is where the backup is written and holds other things; "
                            "move it, or name another destination");
    if (error) return fail(system_error(error.value(), "cannot list", draft));
    return {};
}

void remove_draft(const Path& draft) {
    for (const char* file : kDraftFiles) ::unlink((draft / file).c_str());
    ::rmdir(draft.c_str());
}

using OnFolder = std::function<Result<void>(const Path& folder)>;

Result<void> copy_and_check(const Path& draft, const OnFolder& copy, const OnFolder& check) {
    ::unlink((draft / "data.mdb").c_str());  // of a backup that was killed
    MC_TRY(copy(draft));
    MC_TRY(check(draft));
    ::unlink((draft / "lock.mdb").c_str());  // of whoever checked
    return sync_folder(draft);
}

// A folder that was made at the destination meanwhile stays; where the file system cannot promise
// that, it is looked at once more.
Result<void> move_into_place(const Path& draft, const Path& destination) {
    int code =
        ::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, destination.c_str(), RENAME_NOREPLACE) == 0
            ? 0
            : errno;
    std::error_code ignored;
    if (code == EINVAL || code == ENOSYS) {
        const bool is_free =
            fs::symlink_status(destination, ignored).type() == fs::file_type::not_found;
        code = !is_free ? EEXIST : ::rename(draft.c_str(), destination.c_str()) == 0 ? 0 : errno;
    }
    if (code == EEXIST) return fail(taken(destination));
    if (code != 0) return fail(system_error(code, "cannot move the backup to", destination));
    return sync_folder(destination.parent_path());
}

Result<void> back_up(const Path& directory, const Path& destination, const OnFolder& copy,
                     const OnFolder& check) {
    MC_ASSIGN(const Path place, plain_path(destination));
    MC_TRY(check_places(directory, place));
    const Path draft = place.string() + ".new";
    MC_TRY(make_draft(draft));
    // Held until the end: whoever else writes to this place is told to wait.
    auto lock = WriterLock::acquire(draft);
    if (!lock) {
        ::rmdir(draft.c_str());  // where nobody else is at work there
        return fail(std::move(lock.error()));
    }
    Result<void> done = copy_and_check(draft, copy, check);
    if (done) done = move_into_place(draft, place);
    if (!done) remove_draft(draft);
    return done;
}

}  // namespace

Result<void> back_up_store(const Path& directory, const Path& destination,
                           const std::function<Result<void>(const Path& copy)>& check) {
    const auto copy = [&](const Path& draft) -> Result<void> {
        MC_ASSIGN(const auto env, LmdbEnv::open(directory, EnvMode::kRead, kMapBytesInitial));
        return env->copy_compacted(draft);
    };
    return back_up(directory, destination, copy, check);
}

Result<void> back_up_recoded(const Path& directory, const Path& destination, const Recoding& keys,
                             const std::function<Result<void>(const Path& copy)>& check) {
    const auto copy = [&](const Path& draft) { return recode_store(directory, draft, keys); };
    return back_up(directory, destination, copy, check);
}

}  // namespace mc::storage
