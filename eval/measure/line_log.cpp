// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/line_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "core/check.h"
#include "core/hash.h"

namespace mc::eval {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormatPrefix = "megacontext-";  // the suite's name follows
constexpr int kFormatVersion = 1;
// 1,000 windows of 100 documents under 13 conditions are 1.2 GB.
constexpr std::uint64_t kLogBytesMax = 4ULL << 30;

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string hash_of(const std::string& text) {
    return to_hex(xxh3_128(std::as_bytes(std::span(text))));
}

std::string suite_of(const std::string& configuration) {
    const Json json = Json::parse(configuration, nullptr, false);
    MC_CHECK(json.is_object() && json.contains("task"), "a configuration names its suite");
    return json["task"];
}

std::string header_line(const std::string& configuration) {
    Json header;
    header["format"] = kFormatPrefix + suite_of(configuration);
    header["version"] = kFormatVersion;
    header["configuration_hash"] = hash_of(configuration);
    header["configuration"] = Json::parse(configuration, nullptr, false);
    return dump(header) + "\n";
}

// "seed, documents": the top-level members in which two configurations differ.
std::string differences(const Json& one, const Json& other) {
    std::string names;
    const auto note = [&](const std::string& name) { names += (names.empty() ? "" : ", ") + name; };
    for (const auto& [name, value] : one.items())
        if (!other.contains(name) || other[name] != value) note(name);
    for (const auto& [name, value] : other.items())
        if (!one.contains(name)) note(name);
    return names;
}

Result<void> check_header(std::string_view line, const std::string& configuration,
                          const Path& path) {
    const std::string advice = ": give another output directory, or delete the file";
    const std::string suite = suite_of(configuration);
    const Json header = Json::parse(line, nullptr, false);
    if (!header.is_object() || !header.contains("format") ||
        header["format"] != kFormatPrefix + suite || !header.contains("configuration") ||
        !header["configuration"].is_object())
        return fail(ErrorCode::kInvalidInput, path.string() + " is not a log of " + suite + advice);
    if (!header.contains("version") || header["version"] != kFormatVersion)
        return fail(ErrorCode::kFormatVersion,
                    path.string() + " was written by another version of " + suite + advice);
    if (header.contains("configuration_hash") &&
        header["configuration_hash"] == hash_of(configuration))
        return {};
    const Json expected = Json::parse(configuration, nullptr, false);
    return fail(ErrorCode::kInvalidInput,
                path.string() + " holds a run of another configuration (" +
                    differences(expected, header["configuration"]) + ")" + advice);
}

}  // namespace

Result<std::unique_ptr<LineLog>> LineLog::open(const Path& path, const std::string& configuration) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) return fail(system_error(errno, "cannot open", path));
    std::unique_ptr<LineLog> log(new LineLog(descriptor, path));
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0)
        return fail(ErrorCode::kLocked, "another process is writing " + path.string());
    MC_ASSIGN(const std::string content, read_file(path, kLogBytesMax));
    MC_TRY(log->load(content, configuration));
    return log;
}

LineLog::~LineLog() {
    ::close(descriptor_);
}

Result<void> LineLog::load(const std::string& content, const std::string& configuration) {
    std::size_t begin = 0;
    for (std::size_t end = content.find('\n'); end != std::string::npos;
         begin = end + 1, end = content.find('\n', begin)) {
        const std::string_view text = std::string_view(content).substr(begin, end - begin);
        if (line_ends_.empty())
            MC_TRY(check_header(text, configuration, path_));
        else
            lines_.emplace_back(text);
        line_ends_.push_back(end + 1);
    }
    if (!line_ends_.empty()) return keep(lines_.size());  // drops a torn last line
    if (::ftruncate(descriptor_, 0) != 0)
        return fail(system_error(errno, "cannot truncate", path_));
    const std::string header = header_line(configuration);
    line_ends_.push_back(header.size());
    return write(header);
}

Result<void> LineLog::keep(std::size_t count) {
    MC_CHECK(count < line_ends_.size(), "as many lines as there were");
    line_ends_.resize(count + 1);
    const auto end = static_cast<off_t>(line_ends_.back());
    if (::ftruncate(descriptor_, end) != 0)
        return fail(system_error(errno, "cannot truncate", path_));
    if (::lseek(descriptor_, end, SEEK_SET) < 0)
        return fail(system_error(errno, "cannot seek in", path_));
    return {};
}

Result<void> LineLog::append(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return write(text);
}

Result<void> LineLog::write(const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t written = ::write(descriptor_, text.data() + done, text.size() - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail(system_error(errno, "cannot write", path_));
        done += static_cast<std::size_t>(written);
    }
    return {};
}

}  // namespace mc::eval
