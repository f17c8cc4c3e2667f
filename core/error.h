// SPDX-License-Identifier: Apache-2.0
// What went wrong, for a caller that reacts or a user that reads.
//
// A code exists only if some caller reacts to it in its own way; everything else is a message.
// Value type. Units: none. See docs/error-handling.md for the exit code of each class.
#pragma once

#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace mc {

enum class ErrorCode {
    kUsage = 2,          // the command line or a configuration value is wrong
    kInvalidInput = 3,   // a file, a text or a name that the user gave cannot be used
    kIo = 4,             // the operating system refused; retry or stop
    kCorruption = 5,     // stored bytes fail their checksum or their rules; run verify or repair
    kOutOfSpace = 6,     // disk or map full; the last commit is intact
    kFormatVersion = 7,  // store or file made by another format version
    kModelMismatch = 8,  // store made with another base model or GistNet; reindex
    kOverBudget = 9,     // the working context cannot hold what was asked
    kStaleIndex = 10,    // a derived index does not match the store; rebuild
    kModel = 11,         // the base model failed
    kLocked = 12,        // another process writes this store
    kKey = 13,           // store or file is encrypted, and not with the key that was given
    kCancelled = 130,    // the user interrupted; what was committed stays
};

// The code's stable name, such as "invalid_input": the `code` of JSON error lines.
std::string_view error_code_name(ErrorCode code);

class Error {
  public:
    Error(ErrorCode code, std::string message,
          std::source_location where = std::source_location::current());

    ErrorCode code() const { return code_; }

    const std::string& message() const { return message_; }

    const std::source_location& where() const { return where_; }

    // Adds what the caller was doing, innermost first; to_string() prints the outermost first.
    Error& add_context(std::string note) &;
    Error&& add_context(std::string note) &&;

    // One line: "<outer context>: <inner context>: <message>".
    std::string to_string() const;

  private:
    ErrorCode code_;
    std::string message_;
    std::source_location where_;
    std::vector<std::string> context_;
};

}  // namespace mc
