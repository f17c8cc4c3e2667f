// SPDX-License-Identifier: Apache-2.0
#include "formats/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/check.h"
#include "formats/json_text.h"

namespace mc::lm {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor bytes are read as they lie");

using Json = nlohmann::json;

constexpr std::string_view kMetadataKey = "__metadata__";
constexpr std::uint64_t kHeaderAlignment = 8;

struct DtypeRow {
    SafetensorsDtype dtype;
    std::string_view name;
    std::uint32_t size_bytes;
};

constexpr DtypeRow kDtypes[] = {
    {SafetensorsDtype::kBool, "BOOL", 1}, {SafetensorsDtype::kU8, "U8", 1},
    {SafetensorsDtype::kI8, "I8", 1},     {SafetensorsDtype::kI16, "I16", 2},
    {SafetensorsDtype::kU16, "U16", 2},   {SafetensorsDtype::kF16, "F16", 2},
    {SafetensorsDtype::kBF16, "BF16", 2}, {SafetensorsDtype::kI32, "I32", 4},
    {SafetensorsDtype::kU32, "U32", 4},   {SafetensorsDtype::kF32, "F32", 4},
    {SafetensorsDtype::kI64, "I64", 8},   {SafetensorsDtype::kU64, "U64", 8},
    {SafetensorsDtype::kF64, "F64", 8},
};

const DtypeRow& row_of(SafetensorsDtype dtype) {
    const auto* row = std::ranges::find(kDtypes, dtype, &DtypeRow::dtype);
    MC_CHECK(row != std::end(kDtypes), "no such dtype");
    return *row;
}

// Bytes of a shape, or nothing when they are more than a number holds.
std::optional<std::uint64_t> size_bytes_of(const std::vector<std::uint64_t>& shape,
                                           SafetensorsDtype dtype) {
    std::uint64_t size = row_of(dtype).size_bytes;
    if (std::ranges::count(shape, std::uint64_t{0}) > 0) return 0;
    for (const std::uint64_t extent : shape) {
        if (extent > std::numeric_limits<std::uint64_t>::max() / size) return std::nullopt;
        size *= extent;
    }
    return size;
}

Result<std::vector<std::uint64_t>> read_numbers(const JsonFields& fields, std::string_view key,
                                                std::size_t count_max) {
    const Json* list = fields.find(key);
    if (list == nullptr) return fail(fields.error(key, "is missing"));
    if (!list->is_array() || list->size() > count_max)
        return fail(fields.error(
            key, "is not a list of at most " + std::to_string(count_max) + " whole numbers"));
    std::vector<std::uint64_t> numbers;
    for (const Json& number : *list) {
        if (!number.is_number_unsigned())
            return fail(fields.error(key, "holds what is not a whole number from 0 on"));
        numbers.push_back(number.get<std::uint64_t>());
    }
    return numbers;
}

// One tensor of the header; data is the file behind the header.
Result<SafetensorsTensor> read_tensor(const JsonFields& header, const std::string& name,
                                      std::span<const std::byte> data) {
    MC_ASSIGN(const JsonFields fields, header.get_object(name));
    SafetensorsTensor tensor;
    tensor.name = name;
    MC_ASSIGN(const std::string dtype, fields.get_string("dtype"));
    const auto* row = std::ranges::find(kDtypes, std::string_view(dtype), &DtypeRow::name);
    if (row == std::end(kDtypes))
        return fail(fields.error("dtype", "'" + dtype + "' is not supported"));
    tensor.dtype = row->dtype;
    MC_ASSIGN(tensor.shape, read_numbers(fields, "shape", kSafetensorsDimensionsMax));
    MC_ASSIGN(const auto offsets, read_numbers(fields, "data_offsets", 2));
    if (offsets.size() != 2) return fail(fields.error("data_offsets", "is not [begin, end]"));
    const auto [begin, end] = std::pair(offsets[0], offsets[1]);
    if (begin > end || end > data.size())
        return fail(fields.error("data_offsets", "lies outside the " + std::to_string(data.size()) +
                                                     " bytes behind the header"));
    if (size_bytes_of(tensor.shape, tensor.dtype) != end - begin)
        return fail(fields.error("data_offsets", "spans " + std::to_string(end - begin) +
                                                     " bytes, which do not hold its shape in " +
                                                     dtype));
    tensor.data = data.subspan(begin, end - begin);
    return tensor;
}

Result<SafetensorsMetadata> read_metadata(const JsonFields& header) {
    SafetensorsMetadata metadata;
    if (!header.has(kMetadataKey)) return metadata;
    MC_ASSIGN(const JsonFields fields, header.get_object(kMetadataKey));
    for (const auto& [key, value] : header.find(kMetadataKey)->items()) {
        MC_ASSIGN(metadata[key], fields.get_string(key));
    }
    return metadata;
}

// The format wants each byte behind the header in exactly one tensor.
Result<void> check_cover(const std::vector<SafetensorsTensor>& tensors,
                         std::span<const std::byte> data, const std::string& file_name) {
    std::vector<const SafetensorsTensor*> in_order;
    for (const SafetensorsTensor& tensor : tensors) in_order.push_back(&tensor);
    const auto end_of = [](const SafetensorsTensor* t) { return t->data.data() + t->data.size(); };
    std::ranges::sort(in_order, {}, [&](const SafetensorsTensor* t) {
        return std::pair(t->data.data(), end_of(t));
    });
    const std::byte* covered = data.data();
    for (const SafetensorsTensor* tensor : in_order) {
        if (tensor->data.data() != covered)
            return fail(ErrorCode::kInvalidInput,
                        file_name + ": tensor " + tensor->name + " " +
                            (tensor->data.data() < covered ? "overlaps the one before it"
                                                           : "has a hole before it"));
        covered = end_of(tensor);
    }
    if (covered != data.data() + data.size())
        return fail(ErrorCode::kInvalidInput,
                    file_name + ": the last tensor ends before the file does");
    return {};
}

Result<std::string_view> header_text(std::span<const std::byte> bytes,
                                     const std::string& file_name) {
    std::uint64_t size = 0;
    if (bytes.size() < sizeof size)
        return fail(ErrorCode::kInvalidInput, file_name + ": the file ends in the header's size");
    std::memcpy(&size, bytes.data(), sizeof size);
    if (size > kSafetensorsHeaderBytesMax)
        return fail(ErrorCode::kInvalidInput,
                    file_name + ": a header of " + std::to_string(size) + " bytes; at most " +
                        std::to_string(kSafetensorsHeaderBytesMax) + " are supported");
    if (size > bytes.size() - sizeof size)
        return fail(ErrorCode::kInvalidInput, file_name + ": the header's " + std::to_string(size) +
                                                  " bytes lie beyond the file's end");
    return std::string_view(reinterpret_cast<const char*>(bytes.data()) + sizeof size, size);
}

}  // namespace

std::string_view safetensors_dtype_name(SafetensorsDtype dtype) {
    return row_of(dtype).name;
}

std::uint32_t safetensors_dtype_size_bytes(SafetensorsDtype dtype) {
    return row_of(dtype).size_bytes;
}

std::uint64_t SafetensorsTensor::element_count() const {
    return data.size() / safetensors_dtype_size_bytes(dtype);
}

Result<std::unique_ptr<SafetensorsFile>> SafetensorsFile::open(const Path& path) {
    MC_ASSIGN(std::unique_ptr<MappedFile> mapping, MappedFile::open(path));
    MC_ASSIGN(std::unique_ptr<SafetensorsFile> file, parse(mapping->bytes(), path.string()));
    file->mapping_ = std::move(mapping);
    return file;
}

Result<std::unique_ptr<SafetensorsFile>> SafetensorsFile::parse(std::span<const std::byte> bytes,
                                                                std::string name) {
    MC_ASSIGN(const std::string_view text, header_text(bytes, name));
    MC_ASSIGN(const Json document, parse_json(text, name));
    MC_ASSIGN(const JsonFields header, JsonFields::of(document, name));
    std::unique_ptr<SafetensorsFile> file(new SafetensorsFile());
    file->name_ = std::move(name);
    file->bytes_ = bytes;
    const auto data = bytes.subspan(sizeof(std::uint64_t) + text.size());
    MC_ASSIGN(file->metadata_, read_metadata(header));
    for (const auto& [key, value] : document.items()) {
        if (key == kMetadataKey) continue;
        MC_ASSIGN(SafetensorsTensor tensor, read_tensor(header, key, data));
        file->tensors_.push_back(std::move(tensor));
    }
    MC_TRY(check_cover(file->tensors_, data, file->name_));
    return file;
}

const SafetensorsTensor* SafetensorsFile::find_tensor(std::string_view name) const {
    const auto found = std::ranges::lower_bound(tensors_, name, {}, &SafetensorsTensor::name);
    return found != tensors_.end() && found->name == name ? &*found : nullptr;
}

namespace {

Result<void> check_writable(std::span<const SafetensorsTensor* const> tensors, const Path& path) {
    std::vector<std::string_view> names;
    for (const SafetensorsTensor* tensor : tensors) {
        const auto error = [&](const std::string& what) {
            return fail(ErrorCode::kInvalidInput,
                        path.string() + ": tensor '" + tensor->name + "' " + what);
        };
        if (tensor->name == kMetadataKey) return error("has a reserved name");
        if (tensor->shape.size() > kSafetensorsDimensionsMax) return error("has too many axes");
        if (size_bytes_of(tensor->shape, tensor->dtype) != tensor->data.size())
            return error("has " + std::to_string(tensor->data.size()) +
                         " bytes, which do not hold its shape");
        names.push_back(tensor->name);
    }
    std::ranges::sort(names);
    const auto twin = std::ranges::adjacent_find(names);
    if (twin != names.end())
        return fail(ErrorCode::kInvalidInput,
                    path.string() + ": two tensors '" + std::string(*twin) + "'");
    return {};
}

// The header with its size in front and blanks behind, so that the data is aligned.
Result<std::string> header_bytes(std::span<const SafetensorsTensor* const> in_order,
                                 const SafetensorsMetadata& metadata, const Path& path) {
    Json header = Json::object();
    if (!metadata.empty()) header[std::string(kMetadataKey)] = metadata;
    std::uint64_t begin = 0;
    for (const SafetensorsTensor* tensor : in_order) {
        const std::uint64_t end = begin + tensor->data.size();
        header[tensor->name] = {{"dtype", safetensors_dtype_name(tensor->dtype)},
                                {"shape", tensor->shape},
                                {"data_offsets", {begin, end}}};
        begin = end;
    }
    std::string text;
    try {
        text = header.dump();
    } catch (const Json::type_error&) {
        return fail(ErrorCode::kInvalidInput,
                    path.string() + ": a tensor's name or the metadata is not UTF-8");
    }
    text.resize((text.size() + kHeaderAlignment - 1) / kHeaderAlignment * kHeaderAlignment, ' ');
    const std::uint64_t size = text.size();
    std::string bytes(sizeof size, '\0');
    std::memcpy(bytes.data(), &size, sizeof size);
    return bytes + text;
}

}  // namespace

Result<void> write_safetensors(const Path& path, std::span<const SafetensorsTensor> tensors,
                               const SafetensorsMetadata& metadata) {
    std::vector<const SafetensorsTensor*> in_order;
    for (const SafetensorsTensor& tensor : tensors) in_order.push_back(&tensor);
    MC_TRY(check_writable(in_order, path));
    // Wide elements first: then every tensor begins at a multiple of its element's size.
    std::ranges::sort(in_order, [](const SafetensorsTensor* a, const SafetensorsTensor* b) {
        const auto width = [](const SafetensorsTensor* t) { return row_of(t->dtype).size_bytes; };
        return std::pair(width(b), std::string_view(a->name)) <
               std::pair(width(a), std::string_view(b->name));
    });
    MC_ASSIGN(const std::string header, header_bytes(in_order, metadata, path));
    std::vector<std::span<const std::byte>> pieces = {std::as_bytes(std::span(header))};
    for (const SafetensorsTensor* tensor : in_order) pieces.push_back(tensor->data);
    return replace_file_pieces(path, pieces);
}

}  // namespace mc::lm
