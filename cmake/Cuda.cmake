# The CUDA toolkit, for MEGACONTEXT_CUDA: .cu files, and the runtime for libtorch's CUDA library.
# One architecture: every further one doubles the time that .cu files take. 90 is the H100 and the H200.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 90 CACHE STRING "Compute capabilities to compile for")
endif()
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc speaks C++20
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
endif()

# mc_add_kernels(TARGET SOURCES…) adds .cu files to a room's target. They are compiled apart: nvcc takes
# neither the house warnings nor a precompiled header.
function(mc_add_kernels target)
    add_library(${target}_kernels OBJECT ${ARGN})
    target_include_directories(${target}_kernels PRIVATE ${PROJECT_SOURCE_DIR})
    # Kernel bodies call constexpr functions that the CPU's build has too.
    target_compile_options(${target}_kernels PRIVATE --expt-relaxed-constexpr --Werror=all-warnings)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_kernels>)
    # Static: a program with kernels runs where the driver is, without the toolkit.
    target_link_libraries(${target} PUBLIC CUDA::cudart_static)
endfunction()
