// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"

#include <utility>

namespace mc {

std::string_view error_code_name(ErrorCode code) {
    switch (code) {
        case ErrorCode::kUsage:
            return "usage";
        case ErrorCode::kInvalidInput:
            return "invalid_input";
        case ErrorCode::kIo:
            return "io";
        case ErrorCode::kCorruption:
            return "corruption";
        case ErrorCode::kOutOfSpace:
            return "out_of_space";
        case ErrorCode::kFormatVersion:
            return "format_version";
        case ErrorCode::kModelMismatch:
            return "model_mismatch";
        case ErrorCode::kOverBudget:
            return "over_budget";
        case ErrorCode::kStaleIndex:
            return "stale_index";
        case ErrorCode::kModel:
            return "model";
        case ErrorCode::kLocked:
            return "locked";
        case ErrorCode::kKey:
            return "key";
        case ErrorCode::kCancelled:
            return "cancelled";
    }
    return "unknown";
}

Error::Error(ErrorCode code, std::string message, std::source_location where)
    : code_(code), message_(std::move(message)), where_(where) {}

Error& Error::add_context(std::string note) & {
    context_.push_back(std::move(note));
    return *this;
}

Error&& Error::add_context(std::string note) && {
    context_.push_back(std::move(note));
    return std::move(*this);
}

std::string Error::to_string() const {
    std::string line;
    for (auto note = context_.rbegin(); note != context_.rend(); ++note) line += *note + ": ";
    return line + message_;
}

}  // namespace mc
