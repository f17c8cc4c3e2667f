# libtorch from the PyPI wheel, unpacked by scripts/setup into the cache directory. The wheel's own
# TorchConfig.cmake wants the whole CUDA toolkit even for a CPU program, so the targets are made here:
# mc::torch links torch_cpu and c10 alone, plus torch_cuda when MEGACONTEXT_CUDA is on.
set(torch_root ${MEGACONTEXT_SITE}/torch)
if(NOT EXISTS ${torch_root}/lib/libtorch_cpu.so)
    message(FATAL_ERROR "no libtorch at ${torch_root}: run scripts/setup, or configure with --preset light")
endif()

add_library(mc_torch INTERFACE)
add_library(mc::torch ALIAS mc_torch)
target_include_directories(mc_torch SYSTEM INTERFACE
    ${torch_root}/include ${torch_root}/include/torch/csrc/api/include)
target_link_libraries(mc_torch INTERFACE
    ${torch_root}/lib/libtorch_cpu.so ${torch_root}/lib/libc10.so ${torch_root}/lib/libgomp.so.1
    Threads::Threads)
# at::parallel_for is a template of libtorch's headers that runs on one thread unless OpenMP is on.
target_compile_options(mc_torch INTERFACE -fopenmp)
# The wheel finds libcudart and libcupti through its own RPATH; the linker needs to be told the same.
target_link_options(mc_torch INTERFACE -Wl,-rpath,${torch_root}/lib
    -Wl,-rpath-link,${MEGACONTEXT_SITE}/nvidia/cu13/lib -Wl,--allow-shlib-undefined)

if(MEGACONTEXT_CUDA)
    target_link_libraries(mc_torch INTERFACE
        -Wl,--no-as-needed ${torch_root}/lib/libtorch_cuda.so ${torch_root}/lib/libc10_cuda.so -Wl,--as-needed
        CUDA::cudart)
endif()

# Links libtorch to a room's target and gives it lm/torch's precompiled header, made once; ccache needs
# -fpch-preprocess to see through it. Sources without libtorch set SKIP_PRECOMPILE_HEADERS.
function(mc_use_torch target)
    target_link_libraries(${target} PRIVATE mc::torch)
    target_compile_options(${target} PRIVATE -fpch-preprocess)
    if(target STREQUAL mc_lm_torch)
        target_precompile_headers(${target} PRIVATE [["lm/torch/torch_fence.h"]])
    else()
        target_precompile_headers(${target} REUSE_FROM mc_lm_torch)
    endif()
endfunction()
