// SPDX-License-Identifier: Apache-2.0
#include "documents/converters/mail.h"

#include <gmime/gmime.h>

#include <memory>
#include <string>

#include "core/utf8.h"
#include "documents/converters/html.h"
#include "documents/converters/text_builder.h"

namespace mc::documents {
namespace {

// Messages inside messages, and parts inside parts.
constexpr int kPartDepthMax = 32;

struct Unref {
    void operator()(void* object) const { g_object_unref(object); }
};

struct Free {
    void operator()(char* text) const { g_free(text); }
};

template <class T>
using Owned = std::unique_ptr<T, Unref>;
using OwnedText = std::unique_ptr<char, Free>;

std::string valid(const char* text) {
    return text == nullptr ? std::string() : to_valid_utf8(text);
}

class MailReader {
  public:
    explicit MailReader(TextBuilder& builder) : builder_(builder) {}

    // False where nothing of a message is there.
    bool read(GMimeMessage& message, int depth) {
        const std::string subject = valid(g_mime_message_get_subject(&message));
        const std::string from = addresses(g_mime_message_get_from(&message));
        GMimeObject* const body = g_mime_message_get_mime_part(&message);
        if (body == nullptr && subject.empty() && from.empty()) return false;
        if (depth == 0) {
            ++number_;
            builder_.end_paragraph();
            builder_.place("message " + std::to_string(number_) +
                           (subject.empty() ? "" : ", " + subject));
        }
        header("From", from);
        header("To", addresses(g_mime_message_get_to(&message)));
        header("Date", date_of(message));
        header("Subject", subject);
        builder_.end_paragraph();
        if (body != nullptr) read_part(*body, depth);
        builder_.end_paragraph();
        return true;
    }

    int count() const { return number_; }

  private:
    void header(const char* name, const std::string& value) {
        if (value.empty()) return;
        builder_.text(name);
        builder_.text(": ");
        builder_.text(value);
        builder_.end_line();
    }

    static std::string addresses(InternetAddressList* list) {
        if (list == nullptr) return {};
        const OwnedText text(internet_address_list_to_string(list, nullptr, FALSE));
        return valid(text.get());
    }

    static std::string date_of(GMimeMessage& message) {
        GDateTime* const date = g_mime_message_get_date(&message);
        if (date == nullptr) return {};
        const OwnedText text(g_date_time_format(date, "%Y-%m-%d %H:%M %z"));
        return valid(text.get());
    }

    void read_part(GMimeObject& part, int depth) {
        if (depth > kPartDepthMax || builder_.is_full()) return;
        if (GMIME_IS_MULTIPART(&part)) {
            read_parts(*GMIME_MULTIPART(&part), depth);
        } else if (GMIME_IS_MESSAGE_PART(&part)) {
            GMimeMessage* const inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(&part));
            if (inner != nullptr) read(*inner, depth + 1);
        } else if (GMIME_IS_PART(&part)) {
            read_leaf(part);
        }
    }

    void read_parts(GMimeMultipart& parts, int depth) {
        const int count = g_mime_multipart_get_count(&parts);
        GMimeContentType* const type = g_mime_object_get_content_type(GMIME_OBJECT(&parts));
        if (!g_mime_content_type_is_type(type, "multipart", "alternative")) {
            for (int i = 0; i < count; ++i)
                read_part(*g_mime_multipart_get_part(&parts, i), depth + 1);
            return;
        }
        // The same text in several forms: the plain one, or the last, which is the richest.
        GMimeObject* chosen = nullptr;
        bool has_plain = false;
        for (int i = 0; i < count; ++i) {
            GMimeObject* const one = g_mime_multipart_get_part(&parts, i);
            GMimeContentType* const form = g_mime_object_get_content_type(one);
            const bool is_plain = g_mime_content_type_is_type(form, "text", "plain");
            if (is_plain || !has_plain) chosen = one;
            has_plain = has_plain || is_plain;
        }
        if (chosen != nullptr) read_part(*chosen, depth + 1);
    }

    void read_leaf(GMimeObject& part) {
        GMimeContentType* const type = g_mime_object_get_content_type(&part);
        const char* const file = g_mime_part_get_filename(GMIME_PART(&part));
        const bool is_attachment =
            file != nullptr || g_mime_part_is_attachment(GMIME_PART(&part)) != FALSE;
        if (is_attachment || !GMIME_IS_TEXT_PART(&part)) {
            builder_.end_line();
            builder_.text("[attachment" + (file == nullptr ? "" : ": " + valid(file)) + "]");
            builder_.end_line();
            return;
        }
        const OwnedText decoded(g_mime_text_part_get_text(GMIME_TEXT_PART(&part)));
        const std::string text = valid(decoded.get());
        if (!g_mime_content_type_is_type(type, "text", "html")) {
            builder_.verbatim(text);
        } else if (!append_html(text, builder_)) {
            return;  // an empty page
        }
        builder_.end_paragraph();
    }

    TextBuilder& builder_;
    int number_ = 0;
};

}  // namespace

Result<ConvertedText> convert_mail(std::string_view content, std::size_t bytes_max) {
    g_mime_init();
    const Owned<GMimeStream> stream(
        g_mime_stream_mem_new_with_buffer(content.data(), content.size()));
    const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    const bool is_mailbox = content.starts_with("From ");
    g_mime_parser_set_format(parser.get(), is_mailbox ? GMIME_FORMAT_MBOX : GMIME_FORMAT_MESSAGE);
    TextBuilder builder(bytes_max);
    MailReader reader(builder);
    while (!builder.is_full()) {
        const gint64 before = g_mime_parser_tell(parser.get());
        const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
        if (!message || !reader.read(*message, 0)) {
            if (!is_mailbox || g_mime_parser_eos(parser.get()) ||
                g_mime_parser_tell(parser.get()) <= before)
                break;
            continue;
        }
        if (!is_mailbox || g_mime_parser_eos(parser.get())) break;
    }
    if (reader.count() == 0)
        return fail(ErrorCode::kInvalidInput, "it holds no message that can be read");
    return builder.finish();
}

}  // namespace mc::documents
