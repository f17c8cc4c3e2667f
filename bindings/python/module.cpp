// SPDX-License-Identifier: Apache-2.0
// megacontext._core, the compiled half of the Python package: two handles, bytes and buffers.
//
// The one file that knows Python. Everything with a shape, a default or a docstring is in the
// package's Python files. The GIL is released around every call that works. Buffers are filled in
// place: pybind11/numpy.h of Debian 12 reads NumPy's structs as they were before NumPy 2
// (docs/adr/0021-python.md).
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <exception>
#include <optional>
#include <string_view>

#include "bindings/python/memory_handle.h"
#include "bindings/python/model_handle.h"

namespace py = pybind11;

namespace mc::python {
namespace {

// Raises the class of megacontext.errors that stands for a code.
[[noreturn]] void raise(std::string_view code, std::string_view message) {
    const auto size = static_cast<py::ssize_t>(message.size());
    const auto text = py::reinterpret_steal<py::object>(
        PyUnicode_DecodeUTF8(message.data(), size, "replace"));  // a path may be any bytes
    const py::object error = py::module_::import("megacontext.errors").attr("error_of")(code, text);
    PyErr_SetObject(py::type::of(error).ptr(), error.ptr());
    throw py::error_already_set();
}

// Does the work without the GIL. Gives the value of its Result, or raises.
template <class Work>
auto unlocked(Work&& work) {
    std::optional<std::invoke_result_t<Work>> result;
    std::string fault;
    try {
        const py::gil_scoped_release release;
        result.emplace(work());
    } catch (const std::exception& thrown) {
        fault = thrown.what();
    }
    if (!result) raise("internal", fault);
    if (!*result) raise(error_code_name(result->error().code()), result->error().to_string());
    if constexpr (!std::is_void_v<typename std::invoke_result_t<Work>::value_type>)
        return std::move(**result);
}

// Ends a handle without the GIL, because its thread may be at work for somebody who waits for it.
// In a process that was forked off its thread is missing and its store is the parent's: left alone.
struct EndHere {
    template <class Handle>
    void operator()(Handle* handle) const {
        if (!handle->is_of_this_process()) return;
        const py::gil_scoped_release release;
        delete handle;
    }
};

using HeldMemory = std::unique_ptr<MemoryHandle, EndHere>;
using HeldModel = std::unique_ptr<ModelHandle, EndHere>;

std::vector<TokenId> tokens_of(const py::buffer& ids) {
    const py::buffer_info info = ids.request();
    if (info.ndim != 1 || info.itemsize != sizeof(TokenId) || info.strides[0] != info.itemsize)
        throw py::type_error("token ids are one row of int32");
    const auto* first = static_cast<const TokenId*>(info.ptr);
    return {first, first + info.size};
}

template <class T>
py::bytearray bytes_of(const std::vector<T>& values) {
    return {static_cast<const char*>(static_cast<const void*>(values.data())),
            values.size() * sizeof(T)};
}

void write_logits(ModelHandle& model, const py::buffer& ids, const py::buffer& out) {
    const std::vector<TokenId> tokens = tokens_of(ids);
    const py::buffer_info info = out.request(true);
    const std::size_t size = tokens.size() * model.model().config().vocabulary_size;
    if (info.itemsize != sizeof(float) || static_cast<std::size_t>(info.size) != size)
        throw py::type_error("logits are float32, tokens × vocabulary");
    const std::span<float> room(static_cast<float*>(info.ptr), size);
    unlocked([&] { return model.logits_into(tokens, room); });
}

std::string generate(ModelHandle& model, const std::string& prompt, std::uint32_t tokens_max,
                     float temperature, std::uint64_t seed, std::vector<std::string> stop) {
    lm::GenerateOptions options;
    options.tokens_max = tokens_max;
    options.sampling.temperature = temperature;
    options.seed = seed;
    options.stop_strings = std::move(stop);
    return unlocked([&] { return model.generate(prompt, options); });
}

void define_memory(py::module_& module) {
    py::class_<MemoryHandle, HeldMemory>(module, "Memory")
        .def(
            py::init([](const SettingTexts& settings) {
                return HeldMemory(unlocked([&] { return MemoryHandle::open(settings); }).release());
            }),
            py::arg("settings"))
        .def(
            "call",
            [](MemoryHandle& memory, const std::string& verb, const std::string& arguments) {
                return unlocked([&] { return memory.call(verb, arguments); });
            },
            py::arg("verb"), py::arg("arguments"))
        .def(
            "documents",
            [](MemoryHandle& memory, const std::string& bank, std::size_t count) {
                return unlocked([&] { return memory.documents(bank, count); });
            },
            py::arg("bank"), py::arg("count"))
        .def("close",
             [](MemoryHandle& memory) {
                 if (memory.is_of_this_process()) unlocked([&] { return memory.close(); });
             })
        .def_property_readonly(
            "store", [](const MemoryHandle& memory) { return memory.config().store.string(); })
        .def_property_readonly("bank",
                               [](const MemoryHandle& memory) { return memory.config().bank; });
}

void define_model(py::module_& module) {
    py::class_<ModelHandle, HeldModel>(module, "BaseModel")
        .def(py::init([](const SettingTexts& settings) {
                 return HeldModel(unlocked([&] { return ModelHandle::open(settings); }).release());
             }),
             py::arg("settings"))
        .def(
            "encode",
            [](const ModelHandle& model, const std::string& text) {
                return bytes_of(model.encode(text));
            },
            py::arg("text"))
        .def(
            "decode",
            [](const ModelHandle& model, const py::buffer& ids) {
                const std::vector<TokenId> tokens = tokens_of(ids);
                return py::bytes(unlocked([&] { return model.decode(tokens); }));
            },
            py::arg("ids"))
        .def("write_logits", &write_logits, py::arg("ids"), py::arg("out"))
        .def(
            "nll",
            [](ModelHandle& model, const py::buffer& ids) {
                const std::vector<TokenId> tokens = tokens_of(ids);
                return bytes_of(unlocked([&] { return model.nll(tokens); }));
            },
            py::arg("ids"))
        .def(
            "generate",
            [](ModelHandle& model, const std::string& prompt, std::uint32_t tokens_max,
               float temperature, std::uint64_t seed, std::vector<std::string> stop) {
                return py::bytes(
                    generate(model, prompt, tokens_max, temperature, seed, std::move(stop)));
            },
            py::arg("prompt"), py::arg("tokens_max"), py::arg("temperature"), py::arg("seed"),
            py::arg("stop"))
        .def_property_readonly("name",
                               [](const ModelHandle& held) { return held.model().config().name; })
        .def_property_readonly(
            "vocabulary_size",
            [](const ModelHandle& held) { return held.model().config().vocabulary_size; })
        .def_property_readonly(
            "context_length",
            [](const ModelHandle& held) { return held.model().config().context_length; })
        .def_property_readonly(
            "bos", [](const ModelHandle& held) { return held.model().tokenizer().bos(); })
        .def_property_readonly(
            "eos", [](const ModelHandle& held) { return held.model().tokenizer().eos(); });
}

// The names of all codes (core/error.h), by exit status.
py::dict error_codes() {
    py::dict codes;
    for (int status = 0; status < 256; ++status) {
        const std::string_view name = error_code_name(static_cast<ErrorCode>(status));
        if (name != "unknown") codes[py::int_(status)] = name;
    }
    return codes;
}

}  // namespace
}  // namespace mc::python

PYBIND11_MODULE(_core, module) {
    module.attr("version") = MC_VERSION;
    module.def("error_codes", &mc::python::error_codes);
    mc::python::define_memory(module);
    mc::python::define_model(module);
}
