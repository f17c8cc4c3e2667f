// SPDX-License-Identifier: Apache-2.0
#include "runtime/remembered_file.h"

#include <optional>
#include <utility>

#include "core/utf8.h"
#include "documents/heading_path.h"
#include "runtime/remember_request.h"

namespace mc::runtime {
namespace {

constexpr std::string_view kPlainText = "text/plain";
constexpr std::string_view kMarkdown = "text/markdown";

// Nothing else is answered meanwhile; two hundred pages of PDF take two.
constexpr std::uint64_t kConversionSecondsMax = 30;

// "text/html" of "Text/HTML; charset=utf-8".
std::string without_parameters(const std::string& media_type) {
    std::string type = media_type.substr(0, media_type.find(';'));
    type.erase(type.find_last_not_of(' ') + 1);
    for (char& c : type)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return type;
}

// What senders say that know nothing.
bool says_nothing(const std::string& type) {
    return type.empty() || type == "application/octet-stream" || type == "application/zip" ||
           type == "application/x-www-form-urlencoded";
}

bool is_text_type(const std::string& type) {
    return type.starts_with("text/") || type == "application/json" || type == "application/xml" ||
           type == "application/yaml" || type == "application/javascript";
}

std::string kinds_taken() {
    std::string kinds = "text (UTF-8, UTF-16)";
    for (const documents::Kind kind : documents::all_kinds())
        kinds += ", " + std::string(documents::media_type_of(kind));
    return kinds;
}

Result<void> check_text(const std::string& content, const std::string& name) {
    if (detect_utf16(content)) return {};
    if (!find_invalid_utf8(content) && content.find('\0') == std::string::npos) return {};
    return fail(ErrorCode::kInvalidInput,
                name + " is no text, and no document of a kind that is taken: " + kinds_taken());
}

}  // namespace

Result<RememberedFile> read_file_of(const RememberRequest& request, const std::string& name) {
    const std::string type = without_parameters(request.media_type);
    auto kind = documents::kind_from_media_type(type);
    if (!kind && !says_nothing(type) && !is_text_type(type))
        return fail(ErrorCode::kInvalidInput,
                    "media_type " + type + " is not taken: give " + kinds_taken());
    if (!kind && says_nothing(type)) {
        MC_ASSIGN(kind, documents::detect_kind(request.file, name));
    }
    if (!kind) MC_TRY(check_text(request.file, name));
    SourceLimits limits;
    limits.size_bytes_max = kFileBytesMax;
    limits.conversion_seconds_max = kConversionSecondsMax;
    MC_ASSIGN(SourceText source, source_of_bytes(request.file, name, kind, limits));
    if (source.text.size() > request.bytes_max)
        return fail(ErrorCode::kInvalidInput,
                    name + " holds " + std::to_string(source.text.size()) + " bytes of text, and " +
                        std::to_string(request.bytes_max) + " are taken at once: take it in " +
                        std::string(kLongTexts) + ", or in parts");
    if (source.text.find_first_not_of(" \t\r\n") == std::string::npos)
        return fail(ErrorCode::kInvalidInput, name + " holds no text");
    if (type == kMarkdown && !source.original)
        if (auto places = documents::markdown_places(source.text); !places.empty())
            source.original = Original{"markdown", {}, std::move(places)};
    const bool keeps_type = !source.kind && !says_nothing(type);
    return RememberedFile{std::move(source), keeps_type ? type : std::string(kPlainText)};
}

}  // namespace mc::runtime
