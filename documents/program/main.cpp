// SPDX-License-Identifier: Apache-2.0
// megacontext-convert KIND TEXT_BYTES MEMORY_BYTES SECONDS: a document on standard input, a frame
// (documents/converted_text.h) on standard output.
//
// It bounds itself before it reads a byte: memory, processor time, no file that grows, no core, no
// other program, and an end when its parent ends.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "core/result.h"
#include "documents/converted_text.h"
#include "documents/converters/converters.h"

namespace mc::documents {
namespace {

constexpr std::size_t kPieceBytes = 1 << 16;
constexpr rlim_t kFilesMax = 64;  // fonts and tables of characters that poppler opens

bool limit(int resource, rlim_t value) {
    const rlimit both{value, value};
    return ::setrlimit(static_cast<__rlimit_resource>(resource), &both) == 0;
}

bool limit_everything(std::uint64_t memory_bytes, std::uint64_t seconds) {
#ifndef __SANITIZE_ADDRESS__  // whose shadow alone is larger than any limit
    if (!limit(RLIMIT_AS, memory_bytes)) return false;
#else
    static_cast<void>(memory_bytes);
#endif
    return limit(RLIMIT_CPU, seconds) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_CORE, 0) &&
           limit(RLIMIT_NOFILE, kFilesMax) && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
}

bool read_input(std::string& content) {
    char piece[kPieceBytes];
    while (true) {
        const ssize_t count = ::read(STDIN_FILENO, piece, sizeof piece);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count == 0;
        content.append(piece, static_cast<std::size_t>(count));
    }
}

bool write_output(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool parse(const char* text, std::uint64_t& number) {
    const std::string_view digits(text);
    const auto done = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return done.ec == std::errc() && done.ptr == digits.data() + digits.size();
}

// The fence: what a library throws is a fault of the document.
Result<ConvertedText> convert_input(Kind kind, std::size_t bytes_max) {
    try {
        std::string content;
        if (!read_input(content)) return fail(ErrorCode::kIo, "it cannot be read");
        return convert_here(kind, content, bytes_max);
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::kInvalidInput,
                    "it takes more memory than a document may; split it, or see whether it is "
                    "made to do so");
    } catch (const std::exception& exception) {
        return fail(ErrorCode::kInvalidInput,
                    std::string("it cannot be read (") + exception.what() + ")");
    }
}

int run(int count, char** arguments) {
    std::uint64_t text_bytes = 0;
    std::uint64_t memory_bytes = 0;
    std::uint64_t seconds = 0;
    const auto kind = count == 5 ? kind_from_name(arguments[1]) : std::nullopt;
    if (!kind || !parse(arguments[2], text_bytes) || !parse(arguments[3], memory_bytes) ||
        !parse(arguments[4], seconds))
        return 2;
    if (!limit_everything(memory_bytes, seconds)) return 4;
    const bool written = write_output(encode_frame(convert_input(*kind, text_bytes)));
    // Nothing is left to be tidied up, and nothing that a broken document left behind is run.
    ::_exit(written ? 0 : 4);
}

}  // namespace
}  // namespace mc::documents

int main(int count, char** arguments) {
    return mc::documents::run(count, arguments);
}
