// SPDX-License-Identifier: Apache-2.0
#include "formats/gguf.h"

#include <limits>
#include <set>
#include <utility>

#include "core/check.h"
#include "formats/gguf_parse.h"

namespace mc::lm {
namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr std::uint32_t kVersionMin = 2;      // version 1 had 32-bit lengths
constexpr std::uint32_t kVersionMax = 3;
constexpr std::uint64_t kAlignmentDefault = 32;
// An element count below it cannot overflow when multiplied by a block's bytes.
constexpr std::uint64_t kTensorElementsMax = 1ULL << 48;

struct Layout {
    GgmlType type;
    std::string_view name;
    GgmlBlock block;
};

constexpr Layout kLayouts[] = {
    {GgmlType::kF32, "F32", {1, 4}},       {GgmlType::kF16, "F16", {1, 2}},
    {GgmlType::kBF16, "BF16", {1, 2}},     {GgmlType::kQ4_0, "Q4_0", {32, 18}},
    {GgmlType::kQ4_1, "Q4_1", {32, 20}},   {GgmlType::kQ5_0, "Q5_0", {32, 22}},
    {GgmlType::kQ5_1, "Q5_1", {32, 24}},   {GgmlType::kQ8_0, "Q8_0", {32, 34}},
    {GgmlType::kQ4_K, "Q4_K", {256, 144}}, {GgmlType::kQ5_K, "Q5_K", {256, 176}},
    {GgmlType::kQ6_K, "Q6_K", {256, 210}},
};

const Layout* find_layout(GgmlType type) {
    for (const Layout& layout : kLayouts)
        if (layout.type == type) return &layout;
    return nullptr;
}

struct Header {
    std::uint64_t tensor_count = 0;
    std::uint64_t metadata_count = 0;
};

// What the tensor table says about one tensor; offset counts from the start of the data section.
struct TensorRecord {
    GgufTensor tensor;
    std::uint64_t offset = 0;
    std::uint64_t size_bytes = 0;
    GgufCursor at;
};

Result<Header> read_header(GgufCursor& cursor) {
    const GgufCursor start = cursor;
    MC_ASSIGN(const auto magic, cursor.read<std::uint32_t>("magic"));
    if (magic != kMagic) return fail(start.error("magic", "this is not a GGUF file"));
    const GgufCursor before = cursor;
    MC_ASSIGN(const auto version, cursor.read<std::uint32_t>("version"));
    if ((version & 0xffffU) == 0 && version != 0)
        return fail(before.error("version", "the file is big-endian; convert it"));
    if (version < kVersionMin || version > kVersionMax)
        return fail(before.error("version", "GGUF version " + std::to_string(version) +
                                                " is not supported (2 and 3 are)"));
    Header header;
    // The smallest tensor record: name length, dimension count, one dimension, type, offset.
    MC_ASSIGN(header.tensor_count, cursor.read_count("tensor_count", kGgufTensorCountMax, 32));
    // The smallest metadata entry: key length, type, one byte.
    MC_ASSIGN(header.metadata_count,
              cursor.read_count("metadata_kv_count", kGgufMetadataCountMax, 13));
    return header;
}

Result<std::vector<std::uint64_t>> read_shape(GgufCursor& cursor, const std::string& field) {
    const GgufCursor before = cursor;
    MC_ASSIGN(const auto dimension_count, cursor.read<std::uint32_t>(field));
    if (dimension_count == 0 || dimension_count > kGgufDimensionsMax)
        return fail(before.error(
            field, std::to_string(dimension_count) + " dimensions; there must be 1 to 4"));
    std::vector<std::uint64_t> shape;
    std::uint64_t element_count = 1;
    for (std::uint32_t i = 0; i < dimension_count; ++i) {
        const GgufCursor at = cursor;
        MC_ASSIGN(const auto extent, cursor.read<std::uint64_t>(field));
        if (extent == 0) return fail(at.error(field, "a dimension of 0"));
        if (extent > kTensorElementsMax / element_count)
            return fail(at.error(field, "more elements than any tensor has"));
        element_count *= extent;
        shape.push_back(extent);
    }
    return shape;
}

Result<TensorRecord> read_tensor_record(GgufCursor& cursor, std::uint64_t index) {
    const GgufCursor start = cursor;
    MC_ASSIGN(std::string name, cursor.read_string("tensor " + std::to_string(index) + " name",
                                                   kGgufTensorNameBytesMax));
    const std::string field = "tensor '" + name + "'";
    TensorRecord record{{std::move(name), {}, {}, {}}, 0, 0, start};
    MC_ASSIGN(record.tensor.shape, read_shape(cursor, field + " shape"));
    const GgufCursor at_type = cursor;
    MC_ASSIGN(const auto type, cursor.read<std::uint32_t>(field + " type"));
    const Layout* layout = find_layout(static_cast<GgmlType>(type));
    if (layout == nullptr)
        return fail(at_type.error(field + " type",
                                  "element type " + std::to_string(type) + " is not supported"));
    if (record.tensor.shape[0] % layout->block.element_count != 0)
        return fail(at_type.error(field + " type",
                                  "rows are not whole blocks of " + std::string(layout->name)));
    record.tensor.type = layout->type;
    record.size_bytes = record.tensor.element_count() / layout->block.element_count *
                        static_cast<std::uint64_t>(layout->block.size_bytes);
    record.at = cursor;
    MC_ASSIGN(record.offset, cursor.read<std::uint64_t>(field + " offset"));
    return record;
}

Result<std::uint64_t> read_alignment(const GgufFile& file) {
    if (file.find("general.alignment") == nullptr) return kAlignmentDefault;
    MC_ASSIGN(const std::uint64_t alignment, file.get_uint("general.alignment"));
    if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > kGgufAlignmentMax)
        return fail(ErrorCode::kInvalidInput, file.name() + ": general.alignment is " +
                                                  std::to_string(alignment) +
                                                  ", not a power of two up to 2^20");
    return alignment;
}

// Points the record's tensor at its bytes.
Result<GgufTensor> place_tensor(TensorRecord record, std::span<const std::byte> data,
                                std::uint64_t alignment) {
    const std::string field = "tensor '" + record.tensor.name + "' offset";
    if (record.offset % alignment != 0)
        return fail(record.at.error(field, std::to_string(record.offset) +
                                               " is not a multiple of the alignment " +
                                               std::to_string(alignment)));
    if (record.offset > data.size() || record.size_bytes > data.size() - record.offset)
        return fail(record.at.error(field, "its " + std::to_string(record.size_bytes) +
                                               " bytes lie beyond the file's end"));
    record.tensor.data = data.subspan(record.offset, record.size_bytes);
    return std::move(record.tensor);
}

}  // namespace

std::string_view ggml_type_name(GgmlType type) {
    const Layout* layout = find_layout(type);
    return layout == nullptr ? "unknown" : layout->name;
}

GgmlBlock ggml_block(GgmlType type) {
    const Layout* layout = find_layout(type);
    MC_CHECK(layout != nullptr, "a type that no file can carry");
    return layout->block;
}

std::uint64_t GgufTensor::element_count() const {
    std::uint64_t count = 1;
    for (const std::uint64_t extent : shape) count *= extent;
    return count;
}

Result<std::unique_ptr<GgufFile>> GgufFile::open(const Path& path) {
    MC_ASSIGN(auto mapping, MappedFile::open(path));
    MC_ASSIGN(auto file, parse(mapping->bytes(), path.string()));
    file->mapping_ = std::move(mapping);
    return file;
}

Result<std::unique_ptr<GgufFile>> GgufFile::parse(std::span<const std::byte> bytes,
                                                  std::string name) {
    std::unique_ptr<GgufFile> file(new GgufFile());
    file->name_ = std::move(name);
    file->bytes_ = bytes;
    GgufCursor cursor(bytes, file->name_);
    MC_ASSIGN(const Header header, read_header(cursor));
    for (std::uint64_t i = 0; i < header.metadata_count; ++i) {
        const GgufCursor at_key = cursor;
        MC_ASSIGN(std::string key,
                  cursor.read_string("metadata key " + std::to_string(i), kGgufKeyBytesMax));
        if (file->find(key) != nullptr) return fail(at_key.error(key, "the key occurs twice"));
        MC_ASSIGN(GgufValue value, read_gguf_value(cursor, key));
        file->metadata_.emplace(std::move(key), std::move(value));
    }
    std::vector<TensorRecord> records;
    std::set<std::string, std::less<>> names;
    for (std::uint64_t i = 0; i < header.tensor_count; ++i) {
        MC_ASSIGN(TensorRecord record, read_tensor_record(cursor, i));
        if (!names.insert(record.tensor.name).second)
            return fail(
                record.at.error("tensor '" + record.tensor.name + "'", "the name occurs twice"));
        records.push_back(std::move(record));
    }
    MC_ASSIGN(const std::uint64_t alignment, read_alignment(*file));
    const std::uint64_t padding = (alignment - cursor.position() % alignment) % alignment;
    const std::uint64_t data_begin = cursor.position() + padding;
    const auto data =
        data_begin < bytes.size() ? bytes.subspan(data_begin) : std::span<const std::byte>();
    for (TensorRecord& record : records) {
        MC_ASSIGN(GgufTensor tensor, place_tensor(std::move(record), data, alignment));
        file->tensors_.push_back(std::move(tensor));
    }
    return file;
}

const GgufValue* GgufFile::find(std::string_view key) const {
    const auto found = metadata_.find(key);
    return found == metadata_.end() ? nullptr : &found->second;
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
    for (const GgufTensor& tensor : tensors_)
        if (tensor.name == name) return &tensor;
    return nullptr;
}

namespace {

template <class T>
Result<T> get_as(const GgufFile& file, std::string_view key, std::string_view type_name) {
    const GgufValue* value = file.find(key);
    if (value == nullptr)
        return fail(ErrorCode::kInvalidInput, file.name() + ": no metadata " + std::string(key));
    if (const T* typed = std::get_if<T>(value)) return *typed;
    return fail(ErrorCode::kInvalidInput, file.name() + ": metadata " + std::string(key) +
                                              " is not " + std::string(type_name));
}

}  // namespace

Result<std::uint64_t> GgufFile::get_uint(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value != nullptr)
        if (const auto* number = std::get_if<std::int64_t>(value); number && *number >= 0)
            return static_cast<std::uint64_t>(*number);
    return get_as<std::uint64_t>(*this, key, "an unsigned integer");
}

Result<double> GgufFile::get_float(std::string_view key) const {
    return get_as<double>(*this, key, "a float");
}

Result<bool> GgufFile::get_bool(std::string_view key) const {
    return get_as<bool>(*this, key, "a bool");
}

Result<std::string> GgufFile::get_string(std::string_view key) const {
    return get_as<std::string>(*this, key, "a string");
}

Result<std::vector<std::string>> GgufFile::get_strings(std::string_view key) const {
    return get_as<std::vector<std::string>>(*this, key, "an array of strings");
}

Result<std::vector<std::int64_t>> GgufFile::get_ints(std::string_view key) const {
    return get_as<std::vector<std::int64_t>>(*this, key, "an array of integers");
}

}  // namespace mc::lm
