// SPDX-License-Identifier: Apache-2.0
#include "documents/conversion.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>
#include <vector>

#include "core/descriptor.h"
#include "core/files.h"

namespace mc::documents {
namespace {

constexpr const char* kProgramName = "megacontext-convert";
constexpr int kMillisecondsBetweenLooks = 100;  // at the cancel flag
constexpr std::size_t kPieceBytes = 1 << 16;

Error no_process(int error_number, const std::string& action,
                 const std::string& program = kProgramName) {
    return Error(ErrorCode::kIo,
                 action + " " + program + ": " + std::generic_category().message(error_number));
}

// Beside the program that runs or, where that is an interpreter which has loaded this code, beside
// the library that it is in.
Path converter_program() {
    std::error_code error;
    const Path beside = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    Dl_info self{};
    if (std::filesystem::exists(beside / kProgramName, error) ||
        ::dladdr(kProgramName, &self) == 0 || self.dli_fname == nullptr)
        return beside / kProgramName;
    return Path(self.dli_fname).parent_path() / kProgramName;
}

// The document in memory that a process can read as a file.
Result<Descriptor> document_file(std::string_view content) {
    Descriptor file(::memfd_create("document", MFD_CLOEXEC));
    if (file.get() < 0) return fail(no_process(errno, "cannot hold a document for"));
    for (std::size_t at = 0; at < content.size();) {
        const ssize_t count = ::write(file.get(), content.data() + at, content.size() - at);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(no_process(errno, "cannot hold a document for"));
        at += static_cast<std::size_t>(count);
    }
    if (::lseek(file.get(), 0, SEEK_SET) != 0)
        return fail(no_process(errno, "cannot hold a document for"));
    return file;
}

// What the new process gets in the place of ours: document, pipe, silence, and nothing else.
class SpawnSetting {
  public:
    SpawnSetting(int input, int output) {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
        ::posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
        ::posix_spawnattr_init(&attributes_);
        sigset_t signals;
        ::sigemptyset(&signals);
        ::posix_spawnattr_setsigmask(&attributes_, &signals);
        ::sigfillset(&signals);
        ::posix_spawnattr_setsigdefault(&attributes_, &signals);
        // A group of its own: Ctrl-C is for us to hear.
        ::posix_spawnattr_setpgroup(&attributes_, 0);
        ::posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }

    ~SpawnSetting() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }

    SpawnSetting(const SpawnSetting&) = delete;
    SpawnSetting& operator=(const SpawnSetting&) = delete;

    // 0, or the number of the error.
    int spawn(pid_t& process, const Path& program, std::vector<std::string> arguments) const {
        std::vector<char*> list;
        for (std::string& argument : arguments) list.push_back(argument.data());
        list.push_back(nullptr);
        std::string locale = "LC_ALL=C.UTF-8";
        char* const environment[] = {locale.data(), nullptr};
        return ::posix_spawn(&process, program.c_str(), &actions_, &attributes_, list.data(),
                             environment);
    }

  private:
    posix_spawn_file_actions_t actions_;
    posix_spawnattr_t attributes_;
};

// A running converter; killed and waited for when it goes out of scope.
class Converter {
  public:
    static Result<Converter> start(Kind kind, std::string_view content,
                                   const ConversionLimits& limits) {
        const Path program = converter_program();
        MC_ASSIGN(const Descriptor input, document_file(content));
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return fail(no_process(errno, "cannot start"));
        Converter converter;
        converter.output_ = Descriptor(ends[0]);
        const Descriptor write_end(ends[1]);
        const std::uint64_t memory = limits.memory_bytes_max + 2 * content.size();
        const int failed = SpawnSetting(input.get(), write_end.get())
                               .spawn(converter.process_, program,
                                      {kProgramName, std::string(kind_name(kind)),
                                       std::to_string(limits.text_bytes_max),
                                       std::to_string(memory), std::to_string(limits.seconds_max)});
        if (failed != 0) {
            converter.process_ = -1;
            return fail(no_process(failed, "cannot start", program.string()));
        }
        return converter;
    }

    Converter(Converter&& other) noexcept
        : process_(std::exchange(other.process_, -1)), output_(std::move(other.output_)) {}

    Converter& operator=(Converter&&) = delete;

    ~Converter() { end(); }

    // All that it writes until it ends. Errors: kCancelled; kInvalidInput beyond bytes_max.
    Result<std::string> read(std::size_t bytes_max, const std::atomic<bool>* cancelled) {
        std::string answer;
        while (true) {
            if (cancelled && cancelled->load())
                return fail(ErrorCode::kCancelled, "interrupted while a document was converted");
            pollfd look{output_.get(), POLLIN, 0};
            if (::poll(&look, 1, kMillisecondsBetweenLooks) <= 0) continue;
            char piece[kPieceBytes];
            const ssize_t count = ::read(output_.get(), piece, sizeof piece);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return fail(no_process(errno, "cannot read from"));
            if (count == 0) return answer;
            answer.append(piece, static_cast<std::size_t>(count));
            if (answer.size() > bytes_max)
                return fail(ErrorCode::kInvalidInput, "it gives more text than the limit");
        }
    }

    // The status of waitpid().
    int end() {
        int status = 0;
        if (process_ <= 0) return status;
        ::kill(process_, SIGKILL);  // of no effect on one that has ended
        while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
        }
        process_ = -1;
        return status;
    }

  private:
    Converter() = default;

    pid_t process_ = -1;
    Descriptor output_;
};

// Why there is no answer.
Error fault_of(int status, const ConversionLimits& limits) {
    const bool is_signal = WIFSIGNALED(status);
    if (is_signal && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
        return Error(ErrorCode::kInvalidInput,
                     "it takes more than " + std::to_string(limits.seconds_max) +
                         " s or too much memory to read; it may be made to do so");
    return Error(ErrorCode::kInvalidInput,
                 "its converter ended by " +
                     (is_signal ? "signal " + std::to_string(WTERMSIG(status))
                                : "status " + std::to_string(WEXITSTATUS(status))) +
                     ": the file is damaged, or made to do this; open it in the program that made "
                     "it and save it anew");
}

Result<ConvertedText> convert_there(Kind kind, std::string_view content,
                                    const ConversionLimits& limits) {
    MC_ASSIGN(Converter converter, Converter::start(kind, content, limits));
    MC_ASSIGN(const std::string frame,
              converter.read(limits.text_bytes_max + kFrameLineBytesMax, limits.cancelled));
    const int status = converter.end();
    auto converted = decode_frame(frame);
    if (!converted && converted.error().code() == ErrorCode::kIo)
        return fail(fault_of(status, limits));
    if (converted && converted->text.size() > limits.text_bytes_max)
        return fail(ErrorCode::kInvalidInput, "it gives more text than the limit");
    return converted;
}

}  // namespace

Result<ConvertedText> convert(Kind kind, std::string_view content, const std::string& name,
                              const ConversionLimits& limits) {
    auto converted = convert_there(kind, content, limits);
    if (!converted)
        return fail(
            std::move(converted.error())
                .add_context("cannot take in " + name + " as " + std::string(kind_title(kind))));
    return converted;
}

}  // namespace mc::documents
